cdef class Flight:
    cdef readonly object key
    cdef public tuple tags
    cdef readonly Flights registry
    cdef public tuple awaits
    cdef public object cancel
    cdef public object home
    cdef readonly object landing
    cdef public object token
    cdef list wakers
    cdef public double overdue_at
    cdef readonly Py_ssize_t riders
    cdef public bint is_absent
    cdef public bint is_doubtful
    cdef readonly bint is_kept
    cdef public bint is_late

cdef class Lead:
    cdef readonly Flight flight

cdef class Flights:
    cdef dict by_key
    cdef readonly long long landings
    cdef object stopwatch
    cdef object guard
    cdef object __weakref__

    cdef strike_off(self, Flight flight)
    cdef bint is_joinable(self, Flight flight, object tags, object is_current)
