from cachery.backends.disk.state cimport State

cdef class Parcel:
    cdef readonly object key
    cdef readonly bytes digest
    cdef readonly bytes record
    cdef readonly object entry
    cdef readonly object big
    cdef readonly long long size
    cdef readonly int flags

cdef class Writing:
    cdef readonly object volume
    cdef readonly State state
    cdef readonly object environment
    cdef object bounds
    cdef object _chance
    cdef readonly object files
    cdef readonly object observer
    cdef readonly double now
    cdef public long long total
    cdef list facts
    cdef list _gone
    cdef list _made
    cdef readonly object transaction
    cdef readonly unsigned long long number

    cpdef touch(self, bytes digest)
    cpdef put(self, Parcel parcel)
    cdef _forget(self, bytes digest, bytes data)
