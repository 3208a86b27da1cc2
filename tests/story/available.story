# ownership = available: a worker that hears nobody keeps working, its partitions are
# granted on suspicion: two work on one partition, by different tokens.
ownership available
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
cut w0
run 2000
heal w0
run 3000
expect:
[  3468] w0 > candidate
[  3710] w2 > worker-0 expired
[  3710] w2 > plan (emergency): 6 partitions, 2 workers
[  3710] w2 > state Stable -> Emergency
[  3714] w2 > write head 3 (emergency)
[  3716] w2 > head 3 acked: 2 members, 0 pending, 0 unowned
[  3716] w2 > state Emergency -> Stable
[  3718] w1 > apply epoch 3 (emergency)
[  3718] w1 > app: takes 0 (epoch 3)
[  3718] w2 > apply epoch 3 (emergency)
[  3718] w2 > app: takes 1 (epoch 3)
[  4468] w0 > follow: the log does not answer
[  5054] w0 > candidate
[  5060] w0 > won term 2
[  5063] w0 > leader worker-0, term 2
[  5063] w1 > leader worker-0, term 2
[  5063] w2 > leader worker-0, term 2
[  5063] w2 > follow: a higher term is heard
[  5066] w0 > loaded 6 partitions
[  5066] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  5085] w0 > apply epoch 3 (emergency)
[  5085] w0 > session lost: the head has no such session any more
[  5085] w0 > fenced at 5085: the head has no such session any more
[  5085] w0 > state Stable -> ClaimingID
[  5085] w0 > state ClaimingID -> Election
[  5085] w0 > state Election -> WaitingAssignment
[  5086] w0 > join heard from host
[  5093] w0 > leader , term 2
[  5093] w1 > leader , term 2
[  5093] w2 > leader , term 2
[  5106] w0 > write head 4 (join)
[  5108] w0 > apply epoch 4 (join)
[  5108] w0 > id worker-0
[  5108] w0 > state WaitingAssignment -> Stable
[  5108] w1 > apply epoch 4 (join)
[  5108] w2 > apply epoch 4 (join)
[  5108] w0 > head 4 acked: 3 members, 0 pending, 0 unowned
[  5108] w0 > state Stable -> Scaling
[  5109] w0 > leader worker-0, term 2
[  5109] w1 > leader worker-0, term 2
[  5109] w2 > leader worker-0, term 2
[  5139] w1 > state Stable -> Scaling
[  5139] w2 > state Stable -> Scaling
[  5608] w0 > plan (scale): 6 partitions, 3 workers
[  5608] w0 > state Scaling -> Rebalancing
[  5614] w0 > write head 5 (scale)
[  5616] w0 > head 5 acked: 3 members, 2 pending, 0 unowned
[  5617] w1 > state Scaling -> Rebalancing
[  5617] w2 > state Scaling -> Rebalancing
[  5618] w0 > apply epoch 5 (scale)
[  5618] w1 > apply epoch 5 (scale)
[  5618] w1 > app: must stop 3 (epoch 5)
[  5618] w2 > apply epoch 5 (scale)
[  5618] w2 > app: must stop 5 (epoch 5)
[  5618] w1 > app: has stopped 3 (epoch 5)
[  5618] w2 > app: has stopped 5 (epoch 5)
[  5619] w0 > write head 6 (release)
[  5621] w0 > apply epoch 6 (release)
[  5621] w0 > app: takes 3 5 (epoch 6)
[  5621] w1 > apply epoch 6 (release)
[  5621] w2 > apply epoch 6 (release)
[  5621] w0 > head 6 acked: 3 members, 0 pending, 0 unowned
[  5621] w0 > state Rebalancing -> Stable
[  5622] w1 > state Rebalancing -> Stable
[  5622] w2 > state Rebalancing -> Stable
