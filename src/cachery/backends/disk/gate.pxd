cdef class Gate:
    cdef public double timeout
    cdef object _locks
    cdef object _threads
    cdef unsigned long long _within
