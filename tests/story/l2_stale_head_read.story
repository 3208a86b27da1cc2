# L2: w0 is given up, and its partitions are with others by epoch 3, but it knows epoch 2
# only.  Then the leader dies, and whoever takes over reads the head of epoch 2 from a
# server that lags behind.  It finds out before it gives a bit: the head that it read, put
# back in the log, is refused.  w0 holds nothing that others hold.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
blind w0
cut w0
run 3000
heal w0
run 500
tell
stale head
crash w2
run 1000
hide state
unblind w0
run 3000
expect:
[  6896] w0 > candidate
[  6903] w1 > candidate
[  6909] w1 > won term 2
[  6912] w0 > leader worker-1, term 2
[  6912] w0 > follow: the leader lives
[  6912] w1 > leader worker-1, term 2
[  7035] w1 > follow: the log has another writer
[  7120] w1 > fenced at 7270: the lease was not renewed
[  7270] w1 > state Stable -> Degraded: fenced: the lease has ended
[  7504] w0 > candidate
[  7510] w0 > won term 3
[  7513] w0 > leader worker-0, term 3
[  7513] w1 > leader worker-0, term 3
[  7514] w0 > apply epoch 3 (emergency)
[  7514] w0 > session lost: the head has no such session any more
[  7515] w0 > join heard from host
[  7515] w0 > leader , term 3
[  7515] w1 > leader , term 3
[  7515] w1 > app: takes 0 2 3 (epoch 3)
[  7518] w0 > loaded 6 partitions
[  7535] w0 > write head 4 (join)
[  7537] w0 > apply epoch 4 (join)
[  7537] w0 > id worker-0
[  7537] w1 > apply epoch 4 (join)
[  7537] w0 > head 4 acked: 3 members, 0 pending, 0 unowned
[  7538] w0 > leader worker-0, term 3
[  7538] w1 > leader worker-0, term 3
[  8730] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  8732] w0 > worker-2 expired
[  8732] w0 > plan (emergency): 6 partitions, 2 workers
[  8734] w0 > write head 5 (emergency)
[  8736] w1 > apply epoch 5 (emergency)
[  8736] w0 > head 5 acked: 2 members, 0 pending, 0 unowned
[  8738] w0 > apply epoch 5 (emergency)
[  8738] w0 > app: takes 1 4 5 (epoch 5)
