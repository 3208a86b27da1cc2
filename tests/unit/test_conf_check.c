/* core/host/conf_check.c: values that contradict each other are refused with the reason.
 */
#include "conf_text.h"

#include "unit.h"

#define TIMING HEAD TAIL "[timing]\n"
#define NATS   HEAD TAIL "[nats]\n"
#define WORKER HEAD TAIL "[worker]\n"

START_TEST(a_lease_outlives_two_heartbeats)
{
    must_say(TIMING "heartbeat_interval = 700 ms\nelection_timeout = 1400 ms\n",
             "t.ini:6: heartbeat_ttl (1200 ms) is less than two heartbeat_intervals (2 x "
             "700 ms): one late heartbeat would end every lease");
}
END_TEST

START_TEST(the_margin_fits_into_the_lease)
{
    must_say(TIMING "fence_margin = 1200 ms\n",
             "t.ini:6: fence_margin (1200 ms) is not below heartbeat_ttl (1200 ms): a "
             "worker would be told to stop before its lease begins");
}
END_TEST

/* On the dot is too little, one more is enough. */
START_TEST(a_lease_outlives_a_change_of_leader)
{
    struct conf c;

    must_say(TIMING "election_timeout = 750 ms\n",
             "t.ini:6: heartbeat_ttl - fence_margin (1050 ms) is not above "
             "election_timeout + 2 x heartbeat_interval (1050 ms): each change of leader "
             "would stop every worker");
    must_load(&c, TIMING "election_timeout = 749 ms\n");
    conf_finish(&c);
}
END_TEST

START_TEST(authority_lasts_three_renewals)
{
    struct conf c;

    must_say(TIMING "leader_renew_interval = 401 ms\n",
             "t.ini:6: leader_authority (1200 ms) is less than three "
             "leader_renew_intervals (3 x 401 ms): two slow writes would depose the "
             "leader");
    must_load(&c, TIMING "leader_renew_interval = 400 ms\n");
    conf_finish(&c);
}
END_TEST

START_TEST(the_other_timers_fit_together)
{
    must_say(TIMING "election_timeout = 299 ms\n",
             "t.ini:6: election_timeout (299 ms) is less than two heartbeat_intervals (2 "
             "x 150 ms): one lost beacon would start an election");
    must_say(TIMING "worker_id_ttl = 1 s\n",
             "t.ini:6: worker_id_ttl (1 s) is below heartbeat_ttl (1200 ms): an id may "
             "not be free before its former holder's lease has ended");
    must_say(TIMING "startup_timeout = 1700 ms\n",
             "t.ini:6: startup_timeout (1700 ms) is not above election_timeout + "
             "heartbeat_ttl (1700 ms): a first start takes that long");
    must_say(TIMING "cold_start_window = 9 s\n",
             "t.ini:6: cold_start_window (9 s) is below planned_scale_window (10 s): a "
             "cold start gathers more workers, so it cannot wait less");
    must_say(TIMING "alert_warn = 5 min\n",
             "t.ini:6: alert_info (30 s), alert_warn (5 min), alert_error (5 min) and "
             "alert_critical (10 min) do not ascend");
}
END_TEST

START_TEST(the_key_given_last_is_blamed)
{
    must_say(TIMING "planned_scale_window = 40 s\ncold_start_window = 39 s\n",
             "t.ini:7: cold_start_window (39 s) is below planned_scale_window (40 s): a "
             "cold start gathers more workers, so it cannot wait less");
}
END_TEST

/* One mistake, not two: 5 s would contradict the default of 1200 ms. */
START_TEST(a_faulty_value_is_not_compared)
{
    must_say(
        TIMING "leader_renew_interval = 5 s\nleader_authority = 60\n",
        "t.ini:7: leader_authority = '60' has no unit, so nobody can tell seconds from "
        "milliseconds; write it like '250 ms', '10 s' or '5 min'");
}
END_TEST

START_TEST(ways_to_log_in_do_not_mix)
{
    must_say(NATS "user = joe\n", "t.ini:6: user needs password beside it");
    must_say(NATS "password = x\n", "t.ini:6: password needs user beside it");
    must_say(NATS "tls_cert = c\n", "t.ini:6: tls_cert needs tls_key beside it");
    must_say(NATS "creds = c\nnkey = n\n",
             "t.ini:7: creds and nkey exclude each other: use one way to log in");
    must_say(NATS "user = u\npassword = p\ncreds = c\n",
             "t.ini:8: creds and user exclude each other: use one way to log in");
}
END_TEST

START_TEST(no_group_is_called_like_the_positions_of_another)
{
    must_say("[parti]\ngroup = pos_orders\n[nats]\n" TAIL,
             "t.ini:2: group = 'pos_orders' begins with 'pos_', which is kept for the "
             "positions of the group 'orders'; choose another name");
}
END_TEST

START_TEST(the_embedded_server_has_its_own_ways)
{
    struct conf c;

    must_load(&c, NATS "url = embedded\nstore_dir = data\n");
    ck_assert(c.nats.embedded);
    ck_assert_str_eq(c.nats.store_dir, "/etc/parti/data");
    conf_finish(&c);
    must_say(NATS "store_dir = data\n",
             "t.ini:6: store_dir is for url = embedded; another server keeps its data "
             "where its own configuration says");
    must_say(NATS "url = embedded\ncreds = c\n",
             "t.ini:7: creds does not go with url = embedded, whose credentials are made "
             "for each start");
    must_say(
        NATS "url = embedded\nreplicas = 3\n",
        "t.ini:7: replicas = 3 does not go with url = embedded, which is one server");
}
END_TEST

START_TEST(an_id_is_prefix_and_number_within_the_range)
{
    struct conf c;

    must_load(&c, WORKER "id = worker-0\n");
    ck_assert_uint_eq(c.worker.id_number, 0);
    conf_finish(&c);
    must_load(&c, WORKER "id = a-b-99\nid_prefix = a-b\n");
    ck_assert_uint_eq(c.worker.id_number, 99);
    conf_finish(&c);
    must_say(WORKER "id = worker-100\n",
             "t.ini:6: id = 'worker-100' is beyond id_max = 99; choose a lower number or "
             "raise id_max");
    must_say(WORKER "id = box-1\n",
             "t.ini:6: id = 'box-1' is not of the form worker-N; give the number behind "
             "id_prefix and '-', or set id_prefix");
    must_say(
        WORKER "id = worker1\n",
        "t.ini:6: id = 'worker1' is not of the form worker-N; give the number behind "
        "id_prefix and '-', or set id_prefix");
    must_say(WORKER "id = worker-01\n",
             "t.ini:6: id = 'worker-01' does not end in a plain number such as worker-3");
    must_say(WORKER "id = worker-\n",
             "t.ini:6: id = 'worker-' does not end in a plain number such as worker-3");
    must_say(WORKER "id = worker--1\n",
             "t.ini:6: id = 'worker--1' does not end in a plain number such as worker-3");
    must_say(WORKER "id_prefix = a b\nid = a-1\n",
             "t.ini:6: id_prefix = 'a b' may hold only letters, digits, '_' and '-'");
}
END_TEST

UNIT_MAIN("conf_check", a_lease_outlives_two_heartbeats, the_margin_fits_into_the_lease,
          a_lease_outlives_a_change_of_leader, authority_lasts_three_renewals,
          the_other_timers_fit_together, the_key_given_last_is_blamed,
          a_faulty_value_is_not_compared, ways_to_log_in_do_not_mix,
          no_group_is_called_like_the_positions_of_another,
          the_embedded_server_has_its_own_ways,
          an_id_is_prefix_and_number_within_the_range)
