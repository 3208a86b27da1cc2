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
[  9025] w0 > loaded 6 partitions
[  9050] w0 > app: may hold until 10186
[  9050] w0 > app: takes 0 1 (epoch 2)
[  9050] w0 > state Degraded -> Stable
[  9050] w1 > app: may hold until 10186
[  9050] w1 > app: takes 2 3 (epoch 2)
[  9050] w1 > state Degraded -> Stable
[  9050] w2 > app: may hold until 10186
[  9050] w2 > app: takes 4 5 (epoch 2)
[  9410] w0 > app: may hold until 10366
[  9410] w1 > app: may hold until 10366
[  9410] w2 > app: may hold until 10366
[  9710] w0 > app: may hold until 10666
[  9710] w1 > app: may hold until 10666
[  9710] w2 > app: may hold until 10666
[ 10010] w0 > app: may hold until 10966
[ 10010] w1 > app: may hold until 10966
[ 10010] w2 > app: may hold until 10966
[ 10237] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[ 10310] w0 > app: may hold until 11266
[ 10310] w1 > app: may hold until 11266
[ 10310] w2 > app: may hold until 11266
[ 10610] w0 > app: may hold until 11566
[ 10610] w1 > app: may hold until 11566
[ 10610] w2 > app: may hold until 11566
[ 10910] w0 > app: may hold until 11866
[ 10910] w1 > app: may hold until 11866
[ 10910] w2 > app: may hold until 11866
[ 11210] w0 > app: may hold until 12166
[ 11210] w1 > app: may hold until 12166
[ 11210] w2 > app: may hold until 12166
[ 11437] w0 > plan (refresh): 6 partitions, 3 workers
[ 11437] w0 > state Stable -> Rebalancing
[ 11437] w0 > nothing moves
[ 11437] w0 > state Rebalancing -> Stable
[ 11510] w0 > app: may hold until 12466
[ 11510] w1 > app: may hold until 12466
[ 11510] w2 > app: may hold until 12466
[ 11810] w0 > app: may hold until 12766
[ 11810] w1 > app: may hold until 12766
[ 11810] w2 > app: may hold until 12766
