# A worker that was started with a lower id_max than the others' meets a head with more
# members than it has room for.  It says so once, and asks for the head once a second;
# it holds nothing newer than it knows, and is heard from again when the group fits.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
partitions 8
room w0 members 3
workers 3
quiet
run 3000
tell
only w0
join w3
run 3000
stop w3
run 3000
expect:
[  3067] w0 > error 313: the group has more members than this worker has room for; give it the id_max of the others
[  3098] w0 > state Stable -> Scaling
[  3575] w0 > error 313: the group has more members than this worker has room for; give it the id_max of the others
[  3576] w0 > state Scaling -> Rebalancing
[  3605] w0 > error 313: the group has more members than this worker has room for; give it the id_max of the others
[  3942] w0 > fenced at 4092: the lease was not renewed
[  4092] w0 > state Rebalancing -> Degraded: fenced: the lease has ended
[  6009] w0 > error 313: the group has more members than this worker has room for; give it the id_max of the others
[  6014] w0 > error 313: the group has more members than this worker has room for; give it the id_max of the others
[  7235] w0 > apply epoch 8 (drop)
[  7384] w0 > app: takes 0 1 2 (epoch 8)
[  7384] w0 > state Degraded -> Stable
