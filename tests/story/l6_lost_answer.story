# L6, I15: the answer to the write of a head is lost.  The leader draws no conclusion
# from silence: it reads, finds its head, and goes on from there.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 6
workers 3
quiet
run 3000
tell
hide state
join w3
run 45
next lost
run 3000
expect:
[  3001] w3 > link up
[  3030] w3 > candidate
[  3034] w3 > follow: there may be a leader
[  3044] w3 > leader worker-2, term 1
[  3045] w2 > join heard from host
[  3065] w2 > write head 3 (join)
[  3066] w3 > apply epoch 2 (cold_start)
[  3067] w0 > apply epoch 3 (join)
[  3067] w1 > apply epoch 3 (join)
[  3067] w2 > apply epoch 3 (join)
[  3067] w3 > apply epoch 3 (join)
[  3067] w3 > id worker-3
[  4062] w0 > fenced at 4212: the lease was not renewed
[  4062] w1 > fenced at 4212: the lease was not renewed
[  4062] w2 > fenced at 4212: the lease was not renewed
[  4067] w2 > head 3 acked: 4 members, 0 pending, 0 unowned
[  4218] w0 > app: takes 0 1 (epoch 3)
[  4218] w1 > app: takes 2 3 (epoch 3)
[  4218] w2 > app: takes 4 5 (epoch 3)
[  4567] w2 > plan (scale): 6 partitions, 4 workers
[  4571] w2 > write head 4 (scale)
[  4573] w0 > apply epoch 4 (scale)
[  4573] w1 > apply epoch 4 (scale)
[  4573] w2 > head 4 acked: 4 members, 1 pending, 0 unowned
[  4575] w2 > apply epoch 4 (scale)
[  4575] w2 > app: must stop 5 (epoch 4)
[  4575] w3 > apply epoch 4 (scale)
[  4575] w2 > app: has stopped 5 (epoch 4)
[  4576] w2 > write head 5 (release)
[  4578] w0 > apply epoch 5 (release)
[  4578] w1 > apply epoch 5 (release)
[  4578] w2 > apply epoch 5 (release)
[  4578] w3 > apply epoch 5 (release)
[  4578] w3 > app: takes 5 (epoch 5)
[  4578] w2 > head 5 acked: 4 members, 0 pending, 0 unowned
