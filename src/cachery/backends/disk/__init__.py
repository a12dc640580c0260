"""The store on LMDB: many processes of one machine, reads that never write, writes that survive any crash of one."""
