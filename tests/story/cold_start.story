# Three workers on an empty log: ids, a leader, the first assignment at once and again
# when the cold-start window ends.
partitions 6
workers 3
run 400
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
[   191] w0 > state WaitingAssignment -> Stable
[   191] w1 > state WaitingAssignment -> Stable
[   191] w2 > state WaitingAssignment -> Stable
