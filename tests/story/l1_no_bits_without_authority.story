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
[  5344] w0 > follow: the log does not answer
[  5404] w1 > follow: the log does not answer
[  5882] w0 > candidate
[  5955] w1 > candidate
[  6882] w0 > follow: the log does not answer
[  6955] w1 > follow: the log does not answer
[  7411] w0 > candidate
[  7496] w1 > candidate
[  8411] w0 > follow: the log does not answer
[  8496] w1 > follow: the log does not answer
[  8926] w0 > candidate
[  9031] w1 > candidate
[  9037] w1 > won term 2
[  9040] w0 > leader worker-1, term 2
[  9040] w0 > follow: the leader lives
[  9040] w1 > leader worker-1, term 2
[  9040] w2 > leader worker-1, term 2
[  9040] w2 > follow: a higher term is heard
[  9045] w1 > loaded 6 partitions
[  9070] w0 > app: may hold until 10206
[  9070] w0 > app: takes 0 1 (epoch 2)
[  9070] w0 > state Degraded -> Stable
[  9070] w1 > app: may hold until 10206
[  9070] w1 > app: takes 2 3 (epoch 2)
[  9070] w1 > state Degraded -> Stable
[  9070] w2 > app: may hold until 10206
[  9070] w2 > app: takes 4 5 (epoch 2)
[  9430] w0 > app: may hold until 10386
[  9430] w1 > app: may hold until 10386
[  9430] w2 > app: may hold until 10386
[  9730] w0 > app: may hold until 10686
[  9730] w1 > app: may hold until 10686
[  9730] w2 > app: may hold until 10686
[ 10030] w0 > app: may hold until 10986
[ 10030] w1 > app: may hold until 10986
[ 10030] w2 > app: may hold until 10986
[ 10257] w1 > listed 6: 0 added, 0 removed, 0 reweighted
[ 10330] w0 > app: may hold until 11286
[ 10330] w1 > app: may hold until 11286
[ 10330] w2 > app: may hold until 11286
[ 10630] w0 > app: may hold until 11586
[ 10630] w1 > app: may hold until 11586
[ 10630] w2 > app: may hold until 11586
[ 10930] w0 > app: may hold until 11886
[ 10930] w1 > app: may hold until 11886
[ 10930] w2 > app: may hold until 11886
[ 11230] w0 > app: may hold until 12186
[ 11230] w1 > app: may hold until 12186
[ 11230] w2 > app: may hold until 12186
[ 11457] w1 > plan (refresh): 6 partitions, 3 workers
[ 11457] w1 > state Stable -> Rebalancing
[ 11457] w1 > nothing moves
[ 11457] w1 > state Rebalancing -> Stable
[ 11530] w0 > app: may hold until 12486
[ 11530] w1 > app: may hold until 12486
[ 11530] w2 > app: may hold until 12486
[ 11830] w0 > app: may hold until 12786
[ 11830] w1 > app: may hold until 12786
[ 11830] w2 > app: may hold until 12786
