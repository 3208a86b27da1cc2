# L8: what a leader built in one term and never wrote is no head of its next one.  w2
# leads, and its head for w3 does not reach the log; w0 takes over and writes that epoch,
# and one more without w1, which is away.  Then w2 leads again.  While it renews its lease,
# w1 is back with the epoch that w2 once built in another way.  The log is not lost.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
join w3
at 3045
tell
hide app
hide state
hide id
blind w2
at 5000
unplug w1
unblind w2
at 7000
crash w0
at 8100
next slow
at 8160
plug w1
run 1500
expect:
[  3065] w2 > write head 3 (join)
[  4062] w0 > fenced at 4212: the lease was not renewed
[  4062] w1 > fenced at 4212: the lease was not renewed
[  4062] w2 > fenced at 4212: the lease was not renewed
[  4719] w0 > won term 2
[  4722] w0 > leader worker-0, term 2
[  4722] w1 > leader worker-0, term 2
[  4722] w2 > leader worker-0, term 2
[  4722] w2 > follow: a higher term is heard
[  4722] w3 > leader worker-0, term 2
[  4723] w0 > join heard from host
[  4729] w0 > loaded 6 partitions
[  4743] w0 > write head 3 (join)
[  4745] w0 > head 3 acked: 4 members, 0 pending, 0 unowned
[  5000] w1 > link down
[  5772] w1 > fenced at 5922: the lease was not renewed
[  5939] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  6207] w0 > worker-1 expired
[  6207] w0 > plan (emergency): 6 partitions, 3 workers
[  6209] w0 > write head 4 (emergency)
[  6211] w0 > head 4 acked: 3 members, 0 pending, 0 unowned
[  7541] w2 > won term 3
[  7544] w2 > leader worker-2, term 3
[  7544] w3 > leader worker-2, term 3
[  7551] w2 > loaded 6 partitions
[  8160] w1 > link up
[  8236] w1 > leader worker-2, term 3
[  8258] w1 > session lost: the head has no such session any more
[  8259] w2 > join heard from host
[  8744] w2 > fenced at 8894: the lease was not renewed
[  8744] w3 > fenced at 8894: the lease was not renewed
[  8761] w2 > listed 6: 0 added, 0 removed, 0 reweighted
[  8763] w2 > worker-0 expired
[  8763] w2 > plan (emergency): 6 partitions, 2 workers
[  8795] w2 > write head 5 (emergency)
[  8797] w2 > head 5 acked: 3 members, 0 pending, 0 unowned
[  9297] w2 > plan (scale): 6 partitions, 3 workers
[  9303] w2 > write head 6 (scale)
[  9305] w2 > head 6 acked: 3 members, 2 pending, 0 unowned
[  9308] w2 > write head 7 (release)
[  9310] w2 > head 7 acked: 3 members, 0 pending, 0 unowned
