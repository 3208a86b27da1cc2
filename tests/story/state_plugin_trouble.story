# A source without an answer: Degraded once that has lasted degraded_enter, for every
# worker and one that joins meanwhile; short trouble does not show.  The phase again when
# the source has answered well for degraded_exit.
set cold_start_window 500
set planned_scale_window 300
set min_rebalance_interval 500
set degraded_enter 1500
set degraded_exit 800
hide link
hide candidate
partitions 4
workers 2
quiet
run 2000
tell
# short trouble
list fail
refresh w0
run 700
list ok
run 2500
# trouble that lasts
list fail
refresh w0
run 2000
join w2
run 2000
list ok
run 3000
expect:
[  2001] w1 > the source has no list
[  3001] w1 > listed 4: 0 added, 0 removed, 0 reweighted
[  5201] w1 > the source has no list
[  6201] w1 > the source has no list
[  6701] w1 > state Stable -> Degraded: the source has no list
[  6795] w0 > state Stable -> Degraded: the source has no list
[  7201] w2 > state Init -> ClaimingID
[  7201] w2 > state ClaimingID -> Election
[  7201] w1 > the source has no list
[  7210] w2 > follow: there may be a leader
[  7245] w2 > leader worker-1, term 1
[  7245] w2 > state Election -> WaitingAssignment
[  7246] w1 > join heard from host
[  7266] w1 > write head 3 (join)
[  7267] w2 > apply epoch 2 (cold_start)
[  7268] w0 > apply epoch 3 (join)
[  7268] w1 > apply epoch 3 (join)
[  7268] w2 > apply epoch 3 (join)
[  7268] w2 > id worker-2
[  7268] w1 > head 3 acked: 3 members, 0 pending, 0 unowned
[  7299] w2 > state WaitingAssignment -> Degraded: the source has no list
[  7568] w1 > plan (scale): 4 partitions, 3 workers
[  7572] w1 > write head 4 (scale)
[  7574] w0 > apply epoch 4 (scale)
[  7574] w1 > head 4 acked: 3 members, 1 pending, 0 unowned
[  7576] w1 > apply epoch 4 (scale)
[  7576] w1 > app: must stop 3 (epoch 4)
[  7576] w2 > apply epoch 4 (scale)
[  7576] w1 > app: has stopped 3 (epoch 4)
[  7577] w1 > write head 5 (release)
[  7579] w0 > apply epoch 5 (release)
[  7579] w1 > apply epoch 5 (release)
[  7579] w2 > apply epoch 5 (release)
[  7579] w2 > app: takes 3 (epoch 5)
[  7579] w1 > head 5 acked: 3 members, 0 pending, 0 unowned
[  8201] w1 > the source has no list
[  9201] w1 > listed 4: 0 added, 0 removed, 0 reweighted
[ 10001] w1 > state Degraded -> Stable
[ 10130] w0 > state Degraded -> Stable
[ 10130] w2 > state Degraded -> Stable
