# Three workers on an empty log: ids, a leader, the first assignment when its barrier
# has ended (L3: an empty log may be a lost one), a second look when the cold-start
# window ends.  Init, ClaimingID, Election, WaitingAssignment, Stable, Rebalancing,
# Scaling and back to Stable.
set cold_start_window 3000
set min_rebalance_interval 1000
partitions 6
workers 3
run 5000
expect:
[     1] w0 > link up
[     1] w0 > state Init -> ClaimingID
[     1] w0 > state ClaimingID -> Election
[     1] w1 > link up
[     1] w1 > state Init -> ClaimingID
[     1] w1 > state ClaimingID -> Election
[     1] w2 > link up
[     1] w2 > state Init -> ClaimingID
[     1] w2 > state ClaimingID -> Election
[     9] w2 > candidate
[    12] w1 > candidate
[    15] w2 > won term 1
[    15] w2 > state Election -> WaitingAssignment
[    16] w1 > follow: there may be a leader
[    17] w2 > loaded 0 partitions
[    17] w2 > listed 6: 6 added, 0 removed, 0 reweighted
[    18] w0 > leader , term 1
[    18] w0 > state Election -> WaitingAssignment
[    18] w1 > leader , term 1
[    18] w1 > state Election -> WaitingAssignment
[    18] w2 > leader , term 1
[    18] w2 > join heard from host
[    19] w2 > join heard from host
[    19] w2 > join heard from host
[    38] w2 > write head 1 (join)
[    40] w0 > apply epoch 1 (join)
[    40] w0 > id worker-0
[    40] w1 > apply epoch 1 (join)
[    40] w1 > id worker-1
[    40] w2 > apply epoch 1 (join)
[    40] w2 > id worker-2
[    40] w2 > head 1 acked: 3 members, 0 pending, 6 unowned
[    41] w0 > leader worker-2, term 1
[    41] w1 > leader worker-2, term 1
[    41] w2 > leader worker-2, term 1
[    71] w0 > state WaitingAssignment -> Stable
[    71] w1 > state WaitingAssignment -> Stable
[    71] w2 > state WaitingAssignment -> Stable
[  1235] w2 > plan (cold_start): 6 partitions, 3 workers
[  1235] w2 > state Stable -> Rebalancing
[  1241] w2 > write head 2 (cold_start)
[  1243] w2 > head 2 acked: 3 members, 0 pending, 0 unowned
[  1243] w2 > state Rebalancing -> Stable
[  1243] w2 > state Stable -> Scaling
[  1244] w0 > state Stable -> Scaling
[  1244] w1 > state Stable -> Scaling
[  1245] w0 > apply epoch 2 (cold_start)
[  1245] w0 > app: takes 0 1 (epoch 2)
[  1245] w1 > apply epoch 2 (cold_start)
[  1245] w1 > app: takes 2 3 (epoch 2)
[  1245] w2 > apply epoch 2 (cold_start)
[  1245] w2 > app: takes 4 5 (epoch 2)
[  4235] w2 > plan (cold_start): 6 partitions, 3 workers
[  4235] w2 > state Scaling -> Rebalancing
[  4235] w2 > nothing moves
[  4235] w2 > state Rebalancing -> Stable
[  4244] w0 > state Scaling -> Stable
[  4244] w1 > state Scaling -> Stable
