/*
 * A stranger that sends to some members at the full speed of loopback, for the flood test:
 *
 *     flood SECONDS KEY_BYTE CAPTURE PORT...
 *
 * From one socket, in turns of a quarter of a second: random bytes of random sizes; headers that
 * look right, of envelope 2 (KEY_BYTE is the lowest byte of the key's id, which is on the wire) and
 * of plaintext, with random bytes behind them; and what was sent once already, from the file CAPTURE
 * (a u16 of its size before each datagram; "-" for none). Prints what it sent, as JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define SIZE_MAX_SENT 1472
#define PORTS_MAX 16
#define CAPTURE_MAX (4 << 20)
#define SECONDS_MAX 600
#define TURN_NS 250000000

enum turn { RANDOM, HEADERS, PLAIN, REPLAY, TURN_COUNT };
static const char *const turn_names[TURN_COUNT] = {"random", "headers", "plain", "replay"};

struct flood {
    int fd;
    uint64_t state; /* of the random numbers */
    uint8_t key_byte;
    size_t port_count;
    struct sockaddr_in to[PORTS_MAX];
    uint8_t *capture;
    size_t capture_size;
    size_t capture_at;
    struct mmsghdr batch[BATCH];
    struct iovec parts[BATCH];
    uint8_t data[BATCH][SIZE_MAX_SENT + 8];
    uint64_t sent[TURN_COUNT];
    uint64_t refused;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t draw(struct flood *flood)
{
    flood->state ^= flood->state << 13;
    flood->state ^= flood->state >> 7;
    flood->state ^= flood->state << 17;
    return flood->state;
}

/* ---- Datagrams --------------------------------------------------------------------------- */

static size_t put_random(struct flood *flood, uint8_t *data)
{
    size_t size = 1 + draw(flood) % SIZE_MAX_SENT;

    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = draw(flood);
        memcpy(data + i, &word, 8);
    }
    return size;
}

static size_t put_sealed_header(struct flood *flood, uint8_t *data)
{
    size_t size = put_random(flood, data);

    data[0] = 2;
    data[1] = flood->key_byte;
    return size < 68 ? 68 : size;
}

static void put_checksum(uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    data[22] = data[23] = 0;
    for (size_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    data[22] = (uint8_t)(~sum >> 8);
    data[23] = (uint8_t)~sum;
}

/* A PING of a member that nobody knows, each time of another one. */
static size_t put_plain(struct flood *flood, uint8_t *data)
{
    size_t size = put_random(flood, data);

    if (size < 24)
        size = 24;
    data[0] = 1;
    data[1] = 2;
    data[2] = (uint8_t)((size - 24) >> 8);
    data[3] = (uint8_t)(size - 24);
    data[20] = data[21] = 0;
    put_checksum(data, size);
    return size;
}

static size_t put_replay(struct flood *flood, uint8_t *data)
{
    const uint8_t *at = flood->capture + flood->capture_at;
    size_t size = (size_t)at[0] << 8 | at[1];

    memcpy(data, at + 2, size);
    flood->capture_at += size + 2;
    if (flood->capture_at >= flood->capture_size)
        flood->capture_at = 0;
    return size;
}

static size_t put(struct flood *flood, enum turn turn, uint8_t *data)
{
    switch (turn) {
    case HEADERS: return put_sealed_header(flood, data);
    case PLAIN: return put_plain(flood, data);
    case REPLAY: return put_replay(flood, data);
    default: return put_random(flood, data);
    }
}

/* ---- Sending ----------------------------------------------------------------------------- */

/* The batch is made once a turn and sent over and over, so that making it costs nothing; replays
 * move on. */
static void make_batch(struct flood *flood, enum turn turn)
{
    for (size_t i = 0; i < BATCH; i++)
        flood->parts[i] =
            (struct iovec){.iov_base = flood->data[i], .iov_len = put(flood, turn, flood->data[i])};
}

static void aim(struct flood *flood, size_t first)
{
    for (size_t i = 0; i < BATCH; i++) {
        struct msghdr *header = &flood->batch[i].msg_hdr;
        header->msg_name = &flood->to[(first + i) % flood->port_count];
        header->msg_namelen = sizeof flood->to[0];
        header->msg_iov = &flood->parts[i];
        header->msg_iovlen = 1;
    }
}

static void send_turn(struct flood *flood, enum turn turn, uint64_t end_ns)
{
    size_t first = 0;

    make_batch(flood, turn);
    while (now_ns() < end_ns) {
        if (turn == REPLAY)
            make_batch(flood, turn);
        aim(flood, first++);
        int count = sendmmsg(flood->fd, flood->batch, BATCH, 0);
        if (count > 0)
            flood->sent[turn] += (uint64_t)count;
        else
            flood->refused++;
    }
}

/* Every size in it must be one that can be sent. */
static bool read_capture(struct flood *flood, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t at = 0;

    if (file == NULL)
        return false;
    flood->capture = malloc(CAPTURE_MAX);
    if (flood->capture != NULL)
        flood->capture_size = fread(flood->capture, 1, CAPTURE_MAX, file);
    (void)fclose(file);
    while (at + 2 < flood->capture_size) {
        size_t size = (size_t)flood->capture[at] << 8 | flood->capture[at + 1];
        if (size == 0 || size > SIZE_MAX_SENT)
            return false;
        at += size + 2;
    }
    return at > 0 && at == flood->capture_size;
}

static bool set_up(struct flood *flood, int argc, char **argv)
{
    flood->state = now_ns() | 1;
    flood->key_byte = (uint8_t)strtoul(argv[2], NULL, 16);
    for (int i = 4; i < argc && flood->port_count < PORTS_MAX; i++)
        flood->to[flood->port_count++] =
            (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(argv[i])),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (strcmp(argv[3], "-") != 0 && !read_capture(flood, argv[3]))
        return false;
    flood->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return flood->fd >= 0;
}

int main(int argc, char **argv)
{
    static struct flood flood;
    int seconds = argc > 4 ? atoi(argv[1]) : 0;

    if (seconds < 1 || seconds > SECONDS_MAX || !set_up(&flood, argc, argv)) {
        (void)fputs("usage: flood SECONDS KEY_BYTE CAPTURE|- PORT...\n", stderr);
        return 2;
    }
    uint64_t begin = now_ns();
    uint64_t end = begin + (uint64_t)seconds * 1000000000;
    for (unsigned turn = 0; now_ns() < end; turn = (turn + 1) % TURN_COUNT)
        if (turn != REPLAY || flood.capture_size > 0)
            send_turn(&flood, (enum turn)turn, now_ns() + TURN_NS);
    (void)printf("{\"seconds\":%.3f,\"refused\":%llu", (double)(now_ns() - begin) / 1e9,
                 (unsigned long long)flood.refused);
    for (int turn = 0; turn < TURN_COUNT; turn++)
        (void)printf(",\"%s\":%llu", turn_names[turn], (unsigned long long)flood.sent[turn]);
    (void)puts("}");
    free(flood.capture);
    return 0;
}
