# A worker that never finds a leader and loses its connection: Election to Degraded and
# back.
set degraded_enter 500
set degraded_exit 300
log down
workers 1
run 100
unplug w0
run 1000
plug w0
run 600
expect:
[     1] w0 > link up
[     1] w0 > state Init -> ClaimingID
[     1] w0 > state ClaimingID -> Election
[    37] w0 > candidate
[   100] w0 > link down
[   337] w0 > follow: the log does not answer
[   600] w0 > state Election -> Degraded: disconnected
[  1100] w0 > link up
[  1400] w0 > state Degraded -> Election
