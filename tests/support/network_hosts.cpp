#include "tests/support/network_hosts.hpp"

#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <stdexcept>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds limit{30'000};
constexpr const char* prefix = "ao-";
/// `ip netns` keeps them here.
const fs::path names = "/run/netns";

result<finished> run_words(std::vector<std::string> words,
                           const std::string& input = {}) {
  process_spec spec;
  spec.argv = std::move(words);
  auto env = environment::inherited();
  // Where `ip` is for root only, PATH may not say so.
  env.set("PATH", env.get("PATH") + ":/usr/sbin:/sbin");
  spec.env = env.to_vector();
  if (!input.empty())
    spec.in = child_input::bytes(input);
  return run(spec, limit);
}

/// Lines as `ip` takes them, in one process.
void ip(std::vector<std::string> where, const std::string& lines) {
  where.insert(where.begin(), "ip");
  where.insert(where.end(), {"-batch", "-"});
  auto end = run_words(std::move(where), lines);
  if (!end)
    throw std::runtime_error{to_string(end.error())};
  if (!end->ok())
    throw std::runtime_error{"ip: " + end->err + "in\n" + lines};
}

void remove_one(const std::string& name) {
  // One that was named in a mount namespace that is gone is only a file.
  if (auto end = run_words({"ip", "netns", "del", name}); !end || !end->ok()) {
    std::error_code ignored;
    fs::remove(names / name, ignored);
  }
}

/// Removes what processes that are no more have left.
void sweep() {
  std::error_code none;
  std::vector<std::string> dead;
  for (const auto& entry : fs::directory_iterator{names, none}) {
    auto name = entry.path().filename().string();
    pid_t owner = 0;
    if (name.rfind(prefix, 0) != 0)
      continue;
    std::from_chars(name.data() + 3, name.data() + name.size(), owner);
    if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH)
      dead.push_back(name);
  }
  for (const auto& name : dead)
    remove_one(name);
}

std::string network_of(int node) {
  return "10.77." + std::to_string(node + 1) + ".";
}

/// Rules of one way begin here; a node's number is added.
int priority_of(int node, network_hosts::way which) {
  return (which == network_hosts::way::to_hub ? 100 : 200) + node;
}

std::vector<std::string> within(const std::string& name) {
  return {"nsenter", "--net=" + (names / name).string(), "--"};
}

} // namespace

std::string network_hosts::why_not() {
  if (::geteuid() != 0)
    return "only root can make network namespaces";
  static const std::string why = [] {
    try {
      network_hosts probe{1};
      probe.cut(0, way::both);
      return std::string{};
    } catch (const std::exception& x) {
      return "no network namespaces here: " + std::string{x.what()};
    }
  }();
  return why;
}

network_hosts::network_hosts(int nodes) : nodes_(nodes) {
  static std::atomic<int> made{0};
  number_ = ++made;
  sweep();
  try {
    lay_cables();
  } catch (...) {
    remove();
    throw;
  }
}

network_hosts::~network_hosts() {
  remove();
}

std::string network_hosts::name_of(const std::string& host) const {
  return prefix + std::to_string(::getpid()) + "-" + std::to_string(number_)
    + "-" + host;
}

std::string network_hosts::node_name_of(int node) const {
  return name_of("n" + std::to_string(node));
}

std::string network_hosts::hub_address() {
  return "10.77.0.2";
}

void network_hosts::lay_cables() const {
  auto router = name_of("router");
  std::vector<std::string> hosts{name_of("hub")};
  std::vector<std::string> networks{"10.77.0."};
  for (int i = 0; i < nodes_; ++i) {
    hosts.push_back(node_name_of(i));
    networks.push_back(network_of(i));
  }
  auto all = "netns add " + router + "\n";
  for (const auto& host : hosts)
    all += "netns add " + host + "\n";
  ip({}, all);
  std::string cables = "link set lo up\n";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    auto port = "p" + std::to_string(i);
    cables += "link add " + port + " type veth peer name eth0 netns " + hosts[i]
      + "\naddr add " + networks[i] + "1/24 dev " + port + "\nlink set " + port
      + " up\n";
  }
  ip({"-n", router}, cables);
  for (std::size_t i = 0; i < hosts.size(); ++i)
    ip({"-n", hosts[i]},
       "link set lo up\naddr add " + networks[i]
         + "2/24 dev eth0\nlink set eth0 up\nroute add "
           "default via "
         + networks[i] + "1\n");
  auto words = within(router);
  words.insert(words.end(),
               {"sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"});
  auto end = run_words(std::move(words));
  if (!end || !end->ok())
    throw std::runtime_error{"no router: "
                             + (end ? end->err : to_string(end.error()))};
}

void network_hosts::remove() const {
  for (int i = 0; i < nodes_; ++i)
    remove_one(node_name_of(i));
  remove_one(name_of("hub"));
  remove_one(name_of("router"));
}

std::vector<std::string> network_hosts::on_hub() const {
  return within(name_of("hub"));
}

std::vector<std::string> network_hosts::on_node(int node) const {
  return within(node_name_of(node));
}

std::vector<pid_t> network_hosts::processes_on(int node) const {
  struct stat host {};
  if (::stat((names / node_name_of(node)).c_str(), &host) != 0)
    throw std::runtime_error{node_name_of(node) + " is gone"};
  std::vector<pid_t> out;
  if (auto all = all_processes())
    for (const auto& p : *all) {
      struct stat its {};
      auto file = "/proc/" + std::to_string(p.pid) + "/ns/net";
      if (!p.ended() && ::stat(file.c_str(), &its) == 0
          && its.st_ino == host.st_ino && its.st_dev == host.st_dev)
        out.push_back(p.pid);
    }
  return out;
}

void network_hosts::cut(int node, way which) const {
  heal(node);
  std::string lines;
  auto lose = [&](way one, const std::string& what) {
    if (which == one || which == way::both)
      lines += "rule add priority " + std::to_string(priority_of(node, one))
        + " " + what + " blackhole\n";
  };
  auto host = network_of(node) + "2";
  // The first port is the hub's.
  lose(way::to_hub, "from " + host + " iif p" + std::to_string(node + 1));
  lose(way::to_node, "to " + host);
  ip({"-n", name_of("router")}, lines);
}

void network_hosts::heal(int node) const {
  for (auto one : {way::to_hub, way::to_node})
    // There may be none.
    (void)run_words({"ip", "-n", name_of("router"), "rule", "del", "priority",
                     std::to_string(priority_of(node, one))});
}

void network_hosts::flap(int node, int times, int most,
                         std::minstd_rand& random) const {
  std::uniform_int_distribution<int> length{0, most};
  for (int i = 0; i < times; ++i) {
    cut(node, way::both);
    ::usleep(static_cast<useconds_t>(length(random)) * 1000);
    heal(node);
    ::usleep(static_cast<useconds_t>(length(random)) * 1000);
  }
}

} // namespace ao
