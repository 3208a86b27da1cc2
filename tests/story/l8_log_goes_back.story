# L8: the store of a while ago is put back under the group.  The leader's next write is
# refused; who takes over reads an older head than it has seen, proves by a write of its
# own that this is the log and no stale read, and tells E312.  Nobody has a bit while an
# old lease may live; then a new generation begins, with joins, and grants.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 2
quiet
run 3000
log keep
join w2
run 3000
tell
hide state
hide join heard
log back
run 6000
expect:
[  6287] w1 > follow: the log has another writer
[  6831] w0 > candidate
[  6837] w0 > won term 2
[  6840] w0 > leader worker-0, term 2
[  6840] w1 > leader worker-0, term 2
[  6840] w2 > leader worker-0, term 2
[  6841] w0 > suspicion: a worker has seen a later epoch than the log has
[  6843] w0 > error 312: a worker has seen a later epoch than the log has
[  6880] w0 > fenced at 7030: the lease was not renewed
[  6880] w1 > fenced at 7030: the lease was not renewed
[  6880] w2 > fenced at 7030: the lease was not renewed
[  8063] w0 > write head 6 (drop)
[  8065] w0 > apply epoch 6 (drop)
[  8065] w0 > session lost: the head has no such session any more
[  8065] w1 > apply epoch 6 (drop)
[  8065] w1 > session lost: the head has no such session any more
[  8065] w2 > apply epoch 6 (drop)
[  8065] w2 > session lost: the head has no such session any more
[  8065] w0 > head 6 acked: 0 members, 0 pending, 0 unowned
[  8065] w0 > listed 6: 6 added, 0 removed, 0 reweighted
[  8065] w0 > listed 6: 0 added, 0 removed, 0 reweighted
[  8066] w0 > leader , term 2
[  8066] w1 > leader , term 2
[  8066] w2 > leader , term 2
[  8086] w0 > write head 7 (join)
[  8088] w0 > apply epoch 7 (join)
[  8088] w0 > id worker-0
[  8088] w1 > apply epoch 7 (join)
[  8088] w1 > id worker-1
[  8088] w2 > apply epoch 7 (join)
[  8088] w2 > id worker-2
[  8088] w0 > head 7 acked: 3 members, 0 pending, 6 unowned
[  8088] w0 > plan (cold_start): 6 partitions, 3 workers
[  8089] w0 > leader worker-0, term 2
[  8089] w1 > leader worker-0, term 2
[  8089] w2 > leader worker-0, term 2
[  8094] w0 > write head 8 (cold_start)
[  8096] w0 > head 8 acked: 3 members, 0 pending, 0 unowned
[  8098] w0 > apply epoch 8 (cold_start)
[  8098] w1 > apply epoch 8 (cold_start)
[  8098] w2 > apply epoch 8 (cold_start)
[  8127] w0 > app: takes 0 1 (epoch 8)
[  8127] w1 > app: takes 2 3 (epoch 8)
[  8127] w2 > app: takes 4 5 (epoch 8)
[  9088] w0 > plan (cold_start): 6 partitions, 3 workers
[  9088] w0 > nothing moves
