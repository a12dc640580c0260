# A coarse monotonic clock in seconds, the one line of the package that is not Python.

cdef extern from *:
    """
    #ifdef _WIN32
    #include <windows.h>
    static inline double cachery_coarse_seconds(void) { return (double)GetTickCount64() / 1000.0; }
    #else
    #include <time.h>
    static inline double cachery_coarse_seconds(void) {
        struct timespec now;
    #ifdef CLOCK_MONOTONIC_COARSE
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    #else
        clock_gettime(CLOCK_MONOTONIC, &now);
    #endif
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    }
    #endif
    """
    double coarse_seconds "cachery_coarse_seconds"() nogil
