#pragma once

#include "runtime/io/fd.hpp"
#include "runtime/shim/protocol.hpp"

#include <poll.h>

#include <list>
#include <string>
#include <vector>

namespace ao {

/// The shim's side of its socket: listens, greets each peer, reads orders.
/// Nothing a peer does (junk, silence, not reading, many connections) reaches
/// beyond its own connection. For a poll loop; never blocks but in `flush`.
class shim_peers {
public:
  /// Whether somebody answers on the socket at `path`.
  static bool somebody_listens(const std::string& path);

  /// Binds `path` (0600); a stale socket there is replaced.
  /// Errors: `bad_input` (path too long), `process_failed`.
  result<void> listen(const std::string& path);

  /// Appends the descriptors to wait for.
  void add_to(std::vector<pollfd>& fds) const;

  /// Serves what poll reported (entries of others are ignored); `hello` greets
  /// newcomers. The answer: the orders that came, in order.
  std::vector<shim_order> serve(const std::vector<pollfd>& fds,
                                const std::string& hello);

  /// Queues one line for every peer.
  void tell_all(const std::string& line);

  /// Writes what is queued, at most for `deadline`.
  void flush(milliseconds deadline);

  /// Greets who has dialled, then removes the socket; those who are connected
  /// stay.
  void stop_listening(const std::string& hello);

private:
  struct peer {
    unique_fd fd;
    std::string in;
    std::string out;
    bool gone = false;
  };

  void accept_some(const std::string& hello);
  void read_some(peer& p, std::vector<shim_order>& orders);
  void write_some(peer& p);
  void drop_gone();

  std::string path_;
  unique_fd listener_;
  std::list<peer> peers_;
};

} // namespace ao
