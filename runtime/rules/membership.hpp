#pragma once

#include "messages/error.hpp"
#include "messages/node.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ao {

/// The times of `cluster:`.
struct cluster_times {
  milliseconds heartbeat{1'000};
  milliseconds suspect_after{3'000};
  milliseconds lost_after{8'000};
  milliseconds lease{10'000};
};

/// What a node needs, at most, from the moment that it has to stop an agent to
/// the moment that nothing of it runs: its own timer, and KILL.
constexpr milliseconds fence_takes{1'000};

/// Why a node could still work when its hub grants again; none = it cannot.
///
/// The node counts from when it *sent* the beat that was answered last, the
/// hub from when it *received* that, which is later. So all is well when
///
///   stopOnClientAfter + fence_takes <= lease
///
/// whatever a message takes. The text has the numbers.
std::optional<std::string> fencing_problem(milliseconds stop_after,
                                           milliseconds lease);

// -- the hub's side -----------------------------------------------------------

/// One node as its hub sees it. Times are monotonic, and not stored.
struct membership {
  node_link link = node_link::joining;
  /// The life of the node that counts; 0 = none has connected.
  std::uint64_t incarnation = 0;
  /// When the node was last heard.
  std::optional<mono_time> heard;
  /// Before this the node may work under its claims, and nobody else may.
  std::optional<mono_time> lease_until;
};

/// What a step means to others.
enum class membership_news : std::uint8_t {
  none,
  /// Its first connection ever.
  joined,
  /// It was suspect, lost or gone, and is back.
  returned,
  suspect,
  lost,
  left,
};

struct membership_step {
  membership next;
  membership_news news = membership_news::none;
  /// The input was refused, and nothing has changed.
  std::optional<error> refused;
  /// When to look again although nothing has come.
  std::optional<mono_time> look_at;
};

/// The hub has started: a node that it knows gets one full period of grace,
/// as nobody can tell when it was heard last.
membership after_start(const cluster_node& row, const cluster_times& times,
                       mono_time now);

/// The node has connected and its hello is in order. Errors:
/// `stale_incarnation`, when a later life has been heard.
membership_step hear_hello(const membership& m, std::uint64_t incarnation,
                           const cluster_times& times, mono_time now);

/// A heartbeat; renews the lease. Errors: `stale_incarnation`; `wrong_state`
/// from a node that is lost or was never greeted: its claims may be another's
/// by now, so it has to say hello and what it has first.
membership_step hear_beat(const membership& m, std::uint64_t incarnation,
                          const cluster_times& times, mono_time now);

/// The node ends in order. Its agents go on, so its lease runs on, too.
membership_step hear_leave(const membership& m, std::uint64_t incarnation,
                           mono_time now);

/// The connection has ended: suspect at once, and nothing sooner than that.
membership_step hear_close(const membership& m, const cluster_times& times,
                           mono_time now);

/// Time has passed.
membership_step look_at(const membership& m, const cluster_times& times,
                        mono_time now);

/// Whether claims of the node's sessions may be granted to others: it is lost
/// and must have stopped. Never of one that has left: it says when it is back.
bool may_regrant(const membership& m, mono_time now);

/// Whether the hub knows that the node's claims count.
bool lease_holds(const membership& m, mono_time now);

// -- the node's side ----------------------------------------------------------

/// What a node knows of its own lease. Its clock goes on while the host
/// sleeps (CLOCK_BOOTTIME), else it would wake up with a lease that is long
/// another's.
struct own_lease {
  /// When the last beat or hello that was answered had been sent.
  std::optional<mono_time> renewed;
  /// It has stopped its agents, and may start none until it is greeted.
  bool fenced = false;
};

/// The hub has greeted us.
own_lease lease_granted(mono_time sent);

/// The hub has answered a beat. One that was sent before another that was
/// answered says nothing new; one that comes after we have fenced does not
/// help any more.
own_lease lease_renewed(const own_lease& x, mono_time sent);

/// Whether sessions with this limit have to be stopped now.
bool has_to_fence(const own_lease& x, milliseconds stop_after, mono_time now);

/// When that will be, unless the lease is renewed.
std::optional<mono_time> fence_at(const own_lease& x, milliseconds stop_after);

} // namespace ao
