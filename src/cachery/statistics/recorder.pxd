from cachery.statistics.counters cimport Counters

cdef class Recorder:
    cdef Counters counters
    cdef tuple parts
    cdef object name
    cdef object listeners
    cdef object note_use

    cdef tell(self, object kind, object fields)
