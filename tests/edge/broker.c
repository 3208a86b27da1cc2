#include "config.h"

#include "broker.h"
#include "certs.h"

#include "edge/clock.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = SERVER_PATH_ROOM + 64, CONFIG_ROOM = 8192 };

static const char *const listener_name[BROKER_LISTENERS] = {"PLAIN", "NAMED", "TLS"};

/* ---- the jars */

/* The newest version that was fetched, as a class path. */
static const char *class_path(void)
{
    static char path[PATH_ROOM];
    const char *build = getenv("PARTI_BUILDDIR");
    char pattern[PATH_ROOM];
    glob_t found;

    format(pattern, sizeof pattern, "%s/kafka/*/complete", build != NULL ? build : ".");
    path[0] = '\0';
    if (glob(pattern, 0, NULL, &found) != 0)
        return NULL;
    const char *last = found.gl_pathv[found.gl_pathc - 1];
    format(path, sizeof path, "%.*s/*", (int)(strrchr(last, '/') - last), last);
    globfree(&found);
    return path;
}

const char *brokers_missing(void)
{
    if (class_path() == NULL)
        return "Apache Kafka is not here: run tools/fetch-kafka.sh kafka in the build "
               "tree";
    return NULL;
}

/* java with little memory and a quick start; the arguments follow, up to NULL. */
static pid_t java(const struct broker *broker, const char *const arguments[])
{
    char logging[PATH_ROOM], log[PATH_ROOM];
    const char *argv[24] = {"java",
                            "-Xmx320m",
                            "-XX:TieredStopAtLevel=1",
                            "-Xshare:auto",
                            "-XX:+UseSerialGC",
                            "-XX:-UsePerfData",
                            logging,
                            "-cp",
                            class_path()};
    int n = 9;

    for (; *arguments != NULL; arguments++)
        argv[n++] = *arguments;
    argv[n] = NULL;
    format(logging, sizeof logging, "-Dlog4j2.configurationFile=%s/log4j2.properties",
           broker->dir);
    format(log, sizeof log, "%s/log", broker->dir);
    int out = open_output(log);
    pid_t pid = launch(argv, out);
    (void)close(out);
    return pid;
}

/* ---- configuration */

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[PATH_ROOM];

    format(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        die("write %s: %s", path, strerror(errno));
}

static void write_log_configuration(const char *dir)
{
    write_file(dir, "log4j2.properties",
               "status = error\n"
               "appender.out.type = Console\n"
               "appender.out.name = out\n"
               "appender.out.layout.type = PatternLayout\n"
               "appender.out.layout.pattern = %d %p %m (%c)%n\n"
               "rootLogger.level = warn\n"
               "rootLogger.appenderRef.out.ref = out\n");
}

/* Key and certificate in one file, as the broker wants them. */
static void write_key_store(const struct brokers *b, const char *dir)
{
    char text[16384];
    size_t n = 0;

    for (int i = 0; i < 2; i++) {
        char path[PATH_ROOM];

        format(path, sizeof path, "%s/server.%s", b->certs, i == 0 ? "key" : "pem");
        FILE *file = fopen(path, "r");
        if (file == NULL)
            die("open %s: %s", path, strerror(errno));
        n += fread(text + n, 1, sizeof text - 1 - n, file);
        (void)fclose(file);
    }
    text[n] = '\0';
    write_file(dir, "server.pem", text);
}

static void write_configuration(const struct brokers *b, int i)
{
    const struct broker *own = &b->at[i];
    char text[CONFIG_ROOM], voters[128] = "", listeners[256] = "";
    size_t n = 0;

    for (int k = 0; k < b->n; k++)
        n += (size_t)snprintf(voters + n, sizeof voters - n, "%s%d@127.0.0.1:%d",
                              k > 0 ? "," : "", k + 1, b->at[k].controller_port);
    n = 0;
    for (int k = 0; k < BROKER_LISTENERS; k++)
        n += (size_t)snprintf(listeners + n, sizeof listeners - n, "%s://127.0.0.1:%d,",
                              listener_name[k], own->port[k]);
    listeners[n - 1] = '\0';
    format(text, sizeof text,
           "process.roles=broker,controller\n"
           "node.id=%d\n"
           "controller.quorum.voters=%s\n"
           "listeners=%s,CONTROLLER://127.0.0.1:%d\n"
           "advertised.listeners=%s\n"
           "controller.listener.names=CONTROLLER\n"
           "inter.broker.listener.name=PLAIN\n"
           "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,"
           "NAMED:SASL_PLAINTEXT,TLS:SSL\n"
           "listener.name.named.sasl.enabled.mechanisms=PLAIN\n"
           "listener.name.named.plain.sasl.jaas.config=org.apache.kafka.common.security."
           "plain.PlainLoginModule required user_alice=\"wonder\" user_bob=\"builder\";\n"
           "listener.name.tls.ssl.keystore.type=PEM\n"
           "listener.name.tls.ssl.keystore.location=%s/server.pem\n"
           "authorizer.class.name=org.apache.kafka.metadata.authorizer."
           "StandardAuthorizer\n"
           "super.users=User:ANONYMOUS\n"
           "auto.create.topics.enable=true\n"
           "log.dirs=%s/data\n",
           i + 1, voters, listeners, own->controller_port, listeners, own->dir, own->dir);
    n = strlen(text);
    format(text + n, sizeof text - n,
           "offsets.topic.replication.factor=1\n"
           "offsets.topic.num.partitions=1\n"
           "transaction.state.log.replication.factor=1\n"
           "transaction.state.log.min.isr=1\n"
           "group.initial.rebalance.delay.ms=0\n"
           "num.network.threads=1\n"
           "num.io.threads=2\n"
           "log.cleaner.dedupe.buffer.size=1048600\n"
           "broker.session.timeout.ms=4000\n"
           "broker.heartbeat.interval.ms=500\n");
    write_file(own->dir, "server.properties", text);
    write_log_configuration(own->dir);
    write_key_store(b, own->dir);
}

/* ---- running */

static void spawn(struct broker *broker)
{
    char config[PATH_ROOM];

    format(config, sizeof config, "%s/server.properties", broker->dir);
    broker->pid = java(broker, (const char *const[]){"kafka.Kafka", config, NULL});
}

/* The folders of all brokers, made at the same time. */
static void format_all(struct brokers *b)
{
    pid_t pid[BROKERS_MAX];
    char config[PATH_ROOM];
    int status;

    for (int i = 0; i < b->n; i++) {
        format(config, sizeof config, "%s/server.properties", b->at[i].dir);
        pid[i] =
            java(&b->at[i],
                 (const char *const[]){"kafka.tools.StorageTool", "format", "-t",
                                       "cGFydGktdGVzdHMta2Fma2E", "-c", config, NULL});
    }
    for (int i = 0; i < b->n; i++)
        if (waitpid(pid[i], &status, 0) != pid[i] || status != 0)
            die("the storage of Kafka cannot be made: see %s/log", b->at[i].dir);
}

static void prepare(struct brokers *b, int n)
{
    *b = (struct brokers){.n = n};
    make_dir(b->certs);
    make_certs(b->certs);
    for (int i = 0; i < n; i++) {
        make_dir(b->at[i].dir);
        b->at[i].controller_port = free_port();
        for (int k = 0; k < BROKER_LISTENERS; k++) {
            size_t used = strlen(b->list[k]);

            b->at[i].port[k] = free_port();
            format(b->list[k] + used, sizeof b->list[k] - used, "%s127.0.0.1:%d",
                   i > 0 ? "," : "", b->at[i].port[k]);
        }
    }
    for (int i = 0; i < n; i++)
        write_configuration(b, i);
    format_all(b);
}

static void quiet(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk, (void)level, (void)facility, (void)text;
}

rd_kafka_t *brokers_client(struct brokers *b, rd_kafka_type_t type, const char *group)
{
    char why[512] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, quiet);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", b->list[BROKER_PLAIN], why,
                            sizeof why);
    (void)rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "200", why, sizeof why);
    /* Else a producer makes a topic again that was removed. */
    (void)rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", why, sizeof why);
    if (group != NULL)
        (void)rd_kafka_conf_set(conf, "group.id", group, why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (rk == NULL)
        die("a client of Kafka: %s", why);
    return rk;
}

/* False if one has ended meanwhile: a port was taken. */
static bool is_running(struct brokers *b)
{
    for (int i = 0; i < b->n; i++)
        if (b->at[i].pid != 0 && waitpid(b->at[i].pid, NULL, WNOHANG) != 0) {
            b->at[i].pid = 0;
            return false;
        }
    return true;
}

static int count_brokers(struct brokers *b)
{
    const struct rd_kafka_metadata *md;

    if (rd_kafka_metadata(b->admin, 1, NULL, &md, 500) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    int n = md->broker_cnt;
    rd_kafka_metadata_destroy(md);
    return n;
}

void brokers_await(struct brokers *b, int n)
{
    uint64_t deadline = clock_boot_ms() + BROKER_START_MS;

    while (count_brokers(b) != n)
        if (!is_running(b) || clock_boot_ms() >= deadline)
            die("%d brokers are not there in time: see %s/log", n, b->at[0].dir);
}

static bool try_start(struct brokers *b, int n)
{
    uint64_t deadline = clock_boot_ms() + BROKER_START_MS;

    prepare(b, n);
    b->admin = brokers_client(b, RD_KAFKA_PRODUCER, NULL);
    for (int i = 0; i < n; i++)
        spawn(&b->at[i]);
    while (count_brokers(b) != n) {
        if (!is_running(b))
            return false;
        if (clock_boot_ms() >= deadline)
            die("Kafka does not answer: see %s/log", b->at[0].dir);
    }
    return true;
}

void brokers_start(struct brokers *b, int n)
{
    for (int tries = 0; tries < 3; tries++) {
        if (try_start(b, n))
            return;
        brokers_finish(b);
    }
    die("Kafka does not stay up");
}

void brokers_finish(struct brokers *b)
{
    for (int i = 0; i < b->n; i++) {
        broker_kill(&b->at[i]);
        remove_tree(b->at[i].dir);
    }
    if (b->admin != NULL)
        rd_kafka_destroy(b->admin);
    remove_tree(b->certs);
    *b = (struct brokers){0};
}

void broker_kill(struct broker *broker)
{
    if (broker->pid == 0)
        return;
    (void)kill(broker->pid, SIGKILL);
    (void)waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

void broker_restart(struct brokers *b, int i)
{
    if (b->at[i].pid != 0)
        die("restart of a broker that runs");
    spawn(&b->at[i]);
}

void broker_freeze(struct broker *broker)
{
    int status;

    (void)kill(broker->pid, SIGSTOP);
    if (waitpid(broker->pid, &status, WUNTRACED) != broker->pid || !WIFSTOPPED(status))
        die("a broker cannot be stopped");
}

void broker_thaw(struct broker *broker)
{
    (void)kill(broker->pid, SIGCONT);
}
