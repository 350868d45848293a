/*
 * cluster ADDRESS:PORT [PEER...]: a member of a cluster in C++17, on poll().
 *
 * Prints what happens to the members, and then all of them. SIGINT or SIGTERM leaves the cluster, a
 * second one ends the program at once. Addresses are 192.0.2.1:7000 or [2001:db8::1]:7000.
 */
#include <swim/swim.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/random.h>
#include <unistd.h>

namespace
{

union Name {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

void demand(bool condition, const std::string &what, const char *why = std::strerror(errno))
{
    if (!condition)
        throw std::runtime_error(what + ": " + why);
}

/* Monotonic, and goes on while the machine sleeps. */
swim_time now()
{
    timespec t{};
    clock_gettime(CLOCK_BOOTTIME, &t);
    return swim_time(t.tv_sec) * 1000 * SWIM_MS + swim_time(t.tv_nsec);
}

swim_addr parse(const std::string &text)
{
    swim_addr addr{};
    const size_t colon = std::min(text.rfind(':'), text.size());
    const bool is_v6 = text[0] == '[' && colon > 1 && text[colon - 1] == ']';
    const std::string ip = is_v6 ? text.substr(1, colon - 2) : text.substr(0, colon);
    const char *port = text.data() + colon + 1, *end = text.data() + text.size();
    addr.family = is_v6 ? 6 : 4;
    demand(port < end && std::from_chars(port, end, addr.port).ptr == end && addr.port != 0 &&
               inet_pton(is_v6 ? AF_INET6 : AF_INET, ip.c_str(), addr.ip) == 1,
           text, "not an address with a port; write 127.0.0.1:7000 or [::1]:7000");
    return addr;
}

socklen_t to_name(const swim_addr &addr, Name &ret)
{
    ret.v6 = {};
    ret.any.sa_family = addr.family == 6 ? AF_INET6 : AF_INET;
    ret.v4.sin_port = htons(addr.port); /* at the same place in both */
    if (addr.family == 6)
        std::memcpy(&ret.v6.sin6_addr, addr.ip, 16);
    else
        std::memcpy(&ret.v4.sin_addr, addr.ip, 4);
    return addr.family == 6 ? sizeof ret.v6 : sizeof ret.v4;
}

swim_addr from_name(const Name &name)
{
    swim_addr addr{{}, ntohs(name.v4.sin_port), 4};
    if (name.any.sa_family == AF_INET6)
        addr.family = 6, std::memcpy(addr.ip, &name.v6.sin6_addr, 16);
    else
        std::memcpy(addr.ip, &name.v4.sin_addr, 4);
    return addr;
}

void print(const char *what, const swim_member &member)
{
    std::array<char, INET6_ADDRSTRLEN> ip{};
    const bool is_v6 = member.addr.family == 6;
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, member.addr.ip, ip.data(), ip.size());
    std::cout << what << ' ' << (is_v6 ? "[" : "") << ip.data() << (is_v6 ? "]:" : ":")
              << member.addr.port << ' ' << swim_status_name(member.status) << " id=" << member.id
              << std::endl;
}

/* A member with its socket and its arena. */
class Member
{
    std::unique_ptr<void, decltype(&std::free)> arena_{nullptr, &std::free};
    int fd_ = -1;

  public:
    swim *core;

    explicit Member(const swim_addr &addr)
    {
        swim_config config;
        swim_config_default(&config);
        config.addr = addr;
        demand(getentropy(&config.id, sizeof config.id) == 0 &&
                   getentropy(&config.seed, sizeof config.seed) == 0 &&
                   getentropy(config.secret, sizeof config.secret) == 0,
               "getentropy");
        demand(swim_config_check(&config) == nullptr, "address", "name one that peers can reach");
        const size_t size = swim_footprint(&config);
        arena_.reset(std::calloc(1, size)); /* pages of it are touched as they are needed */
        demand(arena_ != nullptr, "calloc");
        core = swim_init(arena_.get(), size, &config, now());
        Name name;
        const socklen_t name_size = to_name(addr, name);
        fd_ = socket(name.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        demand(fd_ >= 0 && bind(fd_, &name.any, name_size) == 0, "bind");
    }

    ~Member()
    {
        close(fd_);
    }

    /* Sends what there is to send, waits until something is due or arrives, or a signal comes
     * (they are let in here only), and hands it in. */
    void run_once(const sigset_t &blocked_meanwhile)
    {
        std::array<unsigned char, SWIM_RECEIVE_MAX + 1> data; /* one more: what is too long shows */
        Name name;
        swim_addr addr;
        while (size_t size = swim_transmit(core, now(), &addr, data.data(), data.size())) {
            const socklen_t name_size = to_name(addr, name);
            /* What can't be sent is lost, as datagrams are; what matters is repeated. */
            (void)sendto(fd_, data.data(), size, 0, &name.any, name_size);
        }
        const swim_time due = swim_deadline(core), t = now(), left = due > t ? due - t : 0;
        const timespec wait{time_t(left / (1000 * SWIM_MS)), long(left % (1000 * SWIM_MS))};
        pollfd readable{fd_, POLLIN, 0};
        ppoll(&readable, 1, due == SWIM_NEVER ? nullptr : &wait, &blocked_meanwhile);
        socklen_t name_size = sizeof name;
        const ssize_t size = recvfrom(fd_, data.data(), data.size(), 0, &name.any, &name_size);
        if (size >= 0)
            swim_receive(core, now(), &(addr = from_name(name)), data.data(), size_t(size));
        swim_advance(core, now());
    }
};

volatile std::sig_atomic_t is_asked = 0;

void on_signal(int number)
{
    is_asked = 1;
    std::signal(number, SIG_DFL); /* the next one ends the program */
}

} // namespace

int main(int argc, char **argv)
try {
    demand(argc > 1, "usage", "cluster ADDRESS:PORT [PEER...]");
    sigset_t ends, others;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, &others);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);

    Member self(parse(argv[1]));
    for (int i = 2; i < argc; i++) {
        const swim_addr peer = parse(argv[i]);
        demand(swim_join(self.core, now(), &peer), argv[i], "too many peers");
    }
    for (swim_event event; !swim_has_left(self.core);) {
        self.run_once(others);
        if (is_asked)
            swim_leave(self.core, now());
        while (swim_next_event(self.core, &event)) {
            print(swim_event_name(event.kind), event.member);
            swim_member member;
            for (uint32_t i = 0; i < swim_member_slots(self.core); i++)
                if (swim_member_at(self.core, i, &member))
                    print("   ", member);
        }
    }
    return 0;
} catch (const std::exception &e) {
    std::cerr << argv[0] << ": " << e.what() << '\n';
    return 1;
}
