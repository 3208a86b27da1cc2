# A worker is stopped before it has got anywhere: Init, Election and WaitingAssignment to
# Shutdown.
log down
workers 2
stop w0
run 100
stop w1
run 100
log up
quiet
join w2
run 2000
tell
join w3
run 100
stop w3
run 100
expect:
[     0] w0 > stop
[     0] w0 > state Init -> Shutdown
[     1] w1 > link up
[     1] w1 > state Init -> ClaimingID
[     1] w1 > state ClaimingID -> Election
[    12] w1 > candidate
[   100] w1 > stop
[   100] w1 > state Election -> Shutdown
[  2201] w3 > link up
[  2201] w3 > state Init -> ClaimingID
[  2201] w3 > state ClaimingID -> Election
[  2230] w3 > candidate
[  2234] w3 > follow: there may be a leader
[  2281] w3 > leader worker-2, term 1
[  2281] w3 > state Election -> WaitingAssignment
[  2282] w2 > join heard from host
[  2300] w3 > stop
[  2300] w3 > state WaitingAssignment -> Shutdown
[  2302] w2 > write head 2 (join)
[  2304] w2 > apply epoch 2 (join)
[  2304] w2 > head 2 acked: 2 members, 0 pending, 0 unowned
