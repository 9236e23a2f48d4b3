"""baonet runs a Bao-partitioned machine as a distributed system of actors: each physical CPU is a process."""
