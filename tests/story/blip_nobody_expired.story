# The server is away from everybody for two seconds, and the leader's authority is twice a
# lease, so it lasts longer than the leases of the others.  Without its server it hears
# nobody, which says nothing of them: nobody is expired, all take up what they had.
set cold_start_window 1000
set planned_scale_window 500
set min_rebalance_interval 500
set leader_authority 2400
partitions 6
workers 3
quiet
run 4000
tell
unplug w0
unplug w1
unplug w2
run 2000
plug w0
plug w1
plug w2
run 4000
expect:
[  4000] w0 > link down
[  4000] w1 > link down
[  4000] w2 > link down
[  4844] w0 > fenced at 4994: the lease was not renewed
[  4844] w1 > fenced at 4994: the lease was not renewed
[  4844] w2 > fenced at 4994: the lease was not renewed
[  4994] w0 > state Stable -> Degraded: fenced: the lease has ended
[  4994] w1 > state Stable -> Degraded: fenced: the lease has ended
[  4994] w2 > state Stable -> Degraded: fenced: the lease has ended
[  6000] w0 > link up
[  6000] w1 > link up
[  6000] w2 > link up
[  6194] w0 > app: takes 0 1 (epoch 2)
[  6194] w0 > state Degraded -> Stable
[  6194] w1 > app: takes 2 3 (epoch 2)
[  6194] w1 > state Degraded -> Stable
[  6194] w2 > app: takes 4 5 (epoch 2)
[  6194] w2 > state Degraded -> Stable
