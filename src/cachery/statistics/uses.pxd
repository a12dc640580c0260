cdef class Uses:
    cdef dict lately
    cdef object hot

    cdef fold(self)
