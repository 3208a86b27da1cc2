# L7: the wish if it is free, else the lowest free number; who wishes for a number in use
# waits a moment, for its holder may be its own former life; a number whose holder died
# is given again when its lease has ended.
partitions 3
hide state
hide head
hide app
hide apply
workers 1
quiet
run 2000
tell
join w5 wish 0
join w6 wish 7
join w7 wish none
run 1000
crash w6
run 200
join w8 wish 7
run 2000
expect:
[  2001] w5 > link up
[  2001] w6 > link up
[  2001] w7 > link up
[  2009] w6 > candidate
[  2012] w5 > candidate
[  2013] w6 > follow: there may be a leader
[  2016] w5 > follow: there may be a leader
[  2018] w5 > leader worker-0, term 1
[  2018] w6 > leader worker-0, term 1
[  2018] w7 > leader worker-0, term 1
[  2019] w0 > join heard from host
[  2019] w0 > join heard from host
[  2019] w0 > join heard from host
[  2041] w6 > id worker-7
[  2041] w7 > id worker-1
[  2319] w0 > join heard from host
[  2343] w5 > id worker-2
[  3201] w8 > link up
[  3247] w8 > candidate
[  3251] w8 > follow: there may be a leader
[  3334] w8 > leader worker-0, term 1
[  3335] w0 > join heard from host
[  4105] w0 > worker-7 expired, back as a new session
[  4107] w8 > id worker-7
