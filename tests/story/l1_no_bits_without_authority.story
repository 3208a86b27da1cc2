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
[  3792] w0 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w1 > state Stable -> Degraded: fenced: the lease has ended
[  3792] w2 > state Stable -> Degraded: fenced: the lease has ended
[  4344] w0 > candidate
[  4404] w1 > candidate
[  5769] w0 > follow: the log does not answer
[  5829] w1 > follow: the log does not answer
[  6307] w0 > candidate
[  6380] w1 > candidate
[  7732] w0 > follow: the log does not answer
[  7805] w1 > follow: the log does not answer
[  8261] w0 > candidate
[  8346] w1 > candidate
[  9017] w0 > won term 2
[  9020] w0 > leader worker-0, term 2
[  9020] w1 > leader worker-0, term 2
[  9020] w1 > follow: the leader lives
[  9020] w2 > leader worker-0, term 2
[  9020] w2 > follow: a higher term is heard
[  9022] w0 > app: may hold until 10218
[  9022] w0 > app: takes 0 1 (epoch 2)
[  9022] w0 > state Degraded -> Stable
[  9022] w1 > app: may hold until 10218
[  9022] w1 > app: takes 2 3 (epoch 2)
[  9022] w1 > state Degraded -> Stable
[  9022] w2 > app: may hold until 10218
[  9022] w2 > app: takes 4 5 (epoch 2)
[  9027] w0 > loaded 6 partitions
[  9412] w0 > app: may hold until 10370
[  9412] w1 > app: may hold until 10370
[  9412] w2 > app: may hold until 10370
[  9712] w0 > app: may hold until 10670
[  9712] w1 > app: may hold until 10670
[  9712] w2 > app: may hold until 10670
[ 10012] w0 > app: may hold until 10970
[ 10012] w1 > app: may hold until 10970
[ 10012] w2 > app: may hold until 10970
[ 10237] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[ 10312] w0 > app: may hold until 11270
[ 10312] w1 > app: may hold until 11270
[ 10312] w2 > app: may hold until 11270
[ 10612] w0 > app: may hold until 11570
[ 10612] w1 > app: may hold until 11570
[ 10612] w2 > app: may hold until 11570
[ 10912] w0 > app: may hold until 11870
[ 10912] w1 > app: may hold until 11870
[ 10912] w2 > app: may hold until 11870
[ 11212] w0 > app: may hold until 12170
[ 11212] w1 > app: may hold until 12170
[ 11212] w2 > app: may hold until 12170
[ 11437] w0 > plan (refresh): 6 partitions, 3 workers
[ 11437] w0 > state Stable -> Rebalancing
[ 11437] w0 > nothing moves
[ 11437] w0 > state Rebalancing -> Stable
[ 11512] w0 > app: may hold until 12470
[ 11512] w1 > app: may hold until 12470
[ 11512] w2 > app: may hold until 12470
[ 11812] w0 > app: may hold until 12770
[ 11812] w1 > app: may hold until 12770
[ 11812] w2 > app: may hold until 12770
