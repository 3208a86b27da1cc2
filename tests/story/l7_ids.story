# L7: the wish if it is free, else the lowest free number; a number is free again only
# after the lease of whoever had it; two that come at once get two numbers.
partitions 3
hide state
hide head
hide app
workers 1
run 2000
join w5 wish 0
join w6 wish 7
join w7 wish none
run 1000
crash w6
run 3000
join w8 wish 7
run 3000
expect:
[     1] w0 > link up
[    37] w0 > candidate
[    43] w0 > won term 1
[    45] w0 > loaded 0 partitions
[    45] w0 > listed 3: 3 added, 0 removed, 0 reweighted
[    46] w0 > leader , term 1
[    46] w0 > join heard from host
[    68] w0 > id worker-0
[    69] w0 > leader worker-0, term 1
[  1263] w0 > plan (cold_start): 3 partitions, 1 workers
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
[  4105] w0 > worker-7 expired
[  6001] w8 > link up
[  6047] w8 > candidate
[  6051] w8 > follow: there may be a leader
[  6058] w8 > leader worker-0, term 1
[  6059] w0 > join heard from host
[  6081] w8 > id worker-7
