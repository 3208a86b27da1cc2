# L1: the log is away.  The leader goes on as long as its authority lasts, then gives no
# bits: everybody fences, nobody takes over (nobody can).  When the log is back all go
# on with what they had.  Stable, Degraded and back.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
show leases
log down
run 6000
log up
run 3000
expect:
[  3642] w0 > fenced at 3792: the lease was not renewed
[  3642] w1 > fenced at 3792: the lease was not renewed
[  3642] w2 > fenced at 3792: the lease was not renewed
[  3792] w0 > state Stable -> Degraded
[  3792] w1 > state Stable -> Degraded
[  3792] w2 > state Stable -> Degraded
[  4342] w0 > candidate
[  4410] w1 > candidate
[  5342] w0 > follow: the log does not answer
[  5410] w1 > follow: the log does not answer
[  5941] w0 > candidate
[  5998] w1 > candidate
[  6941] w0 > follow: the log does not answer
[  6998] w1 > follow: the log does not answer
[  7479] w0 > candidate
[  7549] w1 > candidate
[  8479] w0 > follow: the log does not answer
[  8549] w1 > follow: the log does not answer
[  9008] w0 > candidate
[  9014] w0 > won term 2
[  9017] w0 > leader worker-0, term 2
[  9017] w1 > leader worker-0, term 2
[  9017] w2 > leader worker-0, term 2
[  9017] w2 > follow: a higher term is heard
[  9022] w0 > loaded 6 partitions
[  9167] w0 > app: may hold until 10063
[  9167] w0 > app: takes 0 1 (epoch 2)
[  9167] w0 > state Degraded -> Stable
[  9167] w1 > app: may hold until 10063
[  9167] w1 > app: takes 2 3 (epoch 2)
[  9167] w1 > state Degraded -> Stable
[  9167] w2 > app: may hold until 10063
[  9167] w2 > app: takes 4 5 (epoch 2)
[  9317] w0 > app: may hold until 10363
[  9317] w1 > app: may hold until 10363
[  9317] w2 > app: may hold until 10363
[  9617] w0 > app: may hold until 10663
[  9617] w1 > app: may hold until 10663
[  9617] w2 > app: may hold until 10663
[  9917] w0 > app: may hold until 10963
[  9917] w1 > app: may hold until 10963
[  9917] w2 > app: may hold until 10963
[ 10217] w0 > app: may hold until 11263
[ 10217] w1 > app: may hold until 11263
[ 10217] w2 > app: may hold until 11263
[ 10234] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[ 10517] w0 > app: may hold until 11563
[ 10517] w1 > app: may hold until 11563
[ 10517] w2 > app: may hold until 11563
[ 10817] w0 > app: may hold until 11863
[ 10817] w1 > app: may hold until 11863
[ 10817] w2 > app: may hold until 11863
[ 11117] w0 > app: may hold until 12163
[ 11117] w1 > app: may hold until 12163
[ 11117] w2 > app: may hold until 12163
[ 11417] w0 > app: may hold until 12463
[ 11417] w1 > app: may hold until 12463
[ 11417] w2 > app: may hold until 12463
[ 11717] w0 > app: may hold until 12763
[ 11717] w1 > app: may hold until 12763
[ 11717] w2 > app: may hold until 12763
