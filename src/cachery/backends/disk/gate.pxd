from cachery.backends.disk.state cimport State

cdef class Gate:
    cdef public double timeout
    cdef object _locks
    cdef State _state
    cdef object _threads
    cdef unsigned long long _within
