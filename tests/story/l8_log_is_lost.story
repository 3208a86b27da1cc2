# L8: the stream is gone, nothing is left of it.  There is nobody's lease in the new one
# either, so that the group would begin anew at once; that somebody has heard of a later
# term tells that this is a loss, and the leases of before are waited out.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 2
quiet
run 3000
tell
hide state
hide join heard
log lost
run 6000
expect:
[  3048] w1 > follow: the log has another writer
[  3585] w0 > candidate
[  3591] w0 > won term 2
[  3593] w0 > suspicion: the log has an earlier term than was heard of
[  3594] w0 > leader worker-0, term 2
[  3594] w1 > leader worker-0, term 2
[  3595] w0 > error 312: the log has an earlier term than was heard of
[  3643] w0 > fenced at 3793: the lease was not renewed
[  3643] w1 > fenced at 3793: the lease was not renewed
[  4815] w0 > write head 3 (release)
[  4817] w0 > apply epoch 3 (release)
[  4817] w0 > session lost: the head has no such session any more
[  4817] w1 > apply epoch 3 (release)
[  4817] w1 > session lost: the head has no such session any more
[  4817] w0 > head 3 acked: 0 members, 0 pending, 0 unowned
[  4817] w0 > listed 6: 6 added, 0 removed, 0 reweighted
[  4817] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  4818] w0 > leader , term 2
[  4818] w1 > leader , term 2
[  4838] w0 > write head 4 (join)
[  4840] w0 > apply epoch 4 (join)
[  4840] w0 > id worker-0
[  4840] w1 > apply epoch 4 (join)
[  4840] w1 > id worker-1
[  4840] w0 > head 4 acked: 2 members, 0 pending, 6 unowned
[  4840] w0 > plan (cold_start): 6 partitions, 2 workers
[  4841] w0 > leader worker-0, term 2
[  4841] w1 > leader worker-0, term 2
[  4844] w0 > write head 5 (cold_start)
[  4846] w0 > head 5 acked: 2 members, 0 pending, 0 unowned
[  4848] w0 > apply epoch 5 (cold_start)
[  4848] w1 > apply epoch 5 (cold_start)
[  4877] w0 > app: takes 0 1 2 (epoch 5)
[  4877] w1 > app: takes 3 4 5 (epoch 5)
[  5840] w0 > plan (cold_start): 6 partitions, 2 workers
[  5840] w0 > nothing moves
