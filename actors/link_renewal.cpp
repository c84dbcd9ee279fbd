#include "actors/job.hpp"
#include "actors/link_parts.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/home/files.hpp"
#include "runtime/tls/channel.hpp"

namespace ao::link_parts {
namespace {

constexpr std::chrono::seconds file_limit{10};
constexpr std::chrono::seconds sign_limit{15};
constexpr std::chrono::seconds show_limit{20};
/// After a failure that says nothing of a certificate.
constexpr std::chrono::minutes blind_pause{1};

/// What is to be done now, as the files say.
struct renewal_look {
  enum class need : std::uint8_t { nothing, signature, proof };
  need what = need::nothing;
  renewal next;
  milliseconds pause{0};
};

result<tls::certificate_facts> present_facts(const home& place) {
  auto pem = read_file(tls::node_files(place).certificate);
  return pem ? tls::read_certificate(*pem) : fail(pem.error());
}

/// The key is made here, so that it is on the disk before anybody hears of it.
result<renewal_look> look_at_files(const home& place, const node_name& name) {
  auto facts = present_facts(place);
  if (!facts)
    return fail(facts.error());
  auto next = read_renewal(place);
  if (!next)
    return fail(next.error());
  renewal_look out;
  out.pause = tls::renewal_pause(*facts);
  if (!*next && !tls::wants_renewal(*facts, wall_now()))
    return out;
  if (!*next) {
    auto begun = begin_renewal(place, name);
    if (!begun)
      return fail(begun.error());
    *next = std::move(*begun);
  }
  out.next = **next;
  out.what = out.next.certificate.empty() ? renewal_look::need::signature
                                          : renewal_look::need::proof;
  return out;
}

void rest(self_pointer self, milliseconds pause) {
  auto& st = self->state;
  st.renewing = false;
  st.renew_at = self->clock().now() + pause;
}

/// The certificate that is in place goes on; all is tried again.
auto try_later(self_pointer self, milliseconds pause = blind_pause) {
  return [self, pause](const caf::error& why) {
    auto& st = self->state;
    auto problem = to_ao_error(why);
    st.context.say(log_level::warn,
                   "renewal_failed reason=\"" + to_string(problem) + "\"");
    // What the hub does not accept now is made anew.
    if (problem.code == ec::bad_token
        && go_back(self, [self, pause] { rest(self, pause); }))
      return;
    rest(self, pause);
  };
}

/// The last step: the hub forgets the old one, then we do.
void say_renewed(self_pointer self, milliseconds pause) {
  auto& st = self->state;
  if (!st.door)
    return rest(self, pause); // the next hello says it
  self
    ->request(door_of(self), sign_limit,
              call_of(self, msg::verb::renewed,
                      dump(json{{"credential", st.host.hub.credential}})))
    .then(
      [self, pause](const msg::wire_reply&) {
        run_job(
          self, self->state.context, file_limit,
          [place = self->state.context.place]() -> result<bool> {
            if (auto ok = finish_renewal(*place); !ok)
              return fail(ok.error());
            return true;
          },
          [self, pause](bool) {
            auto& st = self->state;
            st.expired = false;
            st.context.say(log_level::info, "certificate_renewed");
            rest(self, pause);
          },
          try_later(self, pause));
      },
      try_later(self, pause));
}

/// Shows the new one on a connection of its own, then puts it in place: the
/// link stays as it is, and whatever dials from now on shows the new one.
void prove(self_pointer self, const renewal& next, milliseconds pause) {
  auto& st = self->state;
  auto where = tls::parse_address(st.host.hub.link);
  if (!where)
    return rest(self, pause);
  run_job(
    self, st.context, show_limit,
    [place = st.context.place, next,
     where = *where]() -> result<node_membership> {
      auto authority = read_file(tls::node_files(*place).authority);
      if (!authority)
        return fail(authority.error());
      if (auto ok = tls::prove_identity(where, {next.certificate, next.key},
                                        *authority);
          !ok)
        return fail(ok.error());
      return install_renewal(*place, next);
    },
    [self, pause](const node_membership& hub) {
      self->state.host.hub.credential = hub.credential;
      say_renewed(self, pause);
    },
    try_later(self, pause));
}

void ask_for_signature(self_pointer self, const renewal& next,
                       milliseconds pause) {
  self
    ->request(
      door_of(self), sign_limit,
      call_of(self, msg::verb::renew, dump(json{{"request", next.request}})))
    .then(
      [self, next, pause](const msg::wire_reply& reply) {
        run_job(
          self, self->state.context, file_limit,
          [place = self->state.context.place, next,
           body = reply.body]() -> result<renewal> {
            auto in = parse_json(body, "the hub's answer");
            if (!in)
              return fail(in.error());
            return keep_answer(*place, next, in->value("certificate", ""),
                               in->value("credential", ""));
          },
          [self, pause](const renewal& kept) { prove(self, kept, pause); },
          try_later(self, pause));
      },
      try_later(self, pause));
}

void take_step(self_pointer self, const renewal_look& found) {
  // Without the hub nothing can be done; the next look finds the same.
  if (found.what == renewal_look::need::nothing || !self->state.greeted)
    rest(self, found.pause);
  else if (found.what == renewal_look::need::signature)
    ask_for_signature(self, found.next, found.pause);
  else
    prove(self, found.next, found.pause);
}

/// One line, as nobody reads the same one every few seconds.
void say_expired(self_pointer self, const error& why) {
  auto& st = self->state;
  if (!std::exchange(st.expired, true))
    st.context.say(log_level::error,
                   "certificate_expired reason=\"" + why.context + "\"");
}

} // namespace

void look_at_renewal(self_pointer self) {
  auto& st = self->state;
  if (st.renewing || self->clock().now() < st.renew_at)
    return;
  if (!st.greeted) {
    st.renew_at = self->clock().now() + std::chrono::seconds{1};
    if (auto why
        = expiry_problem(*st.context.place, st.host.hub.name, wall_now()))
      say_expired(self, *why);
    return;
  }
  st.renewing = true;
  run_job(
    self, st.context, file_limit,
    [place = st.context.place, name = st.host.hub.name] {
      return look_at_files(*place, name);
    },
    [self](const renewal_look& found) { take_step(self, found); },
    try_later(self));
}

bool go_back(self_pointer self, std::function<void()> then) {
  auto& st = self->state;
  auto next = read_renewal(*st.context.place);
  if (!next || !*next)
    return false;
  run_job(
    self, st.context, file_limit,
    [place = st.context.place] { return undo_renewal(*place); },
    [self, then](const node_membership& hub) {
      auto& st = self->state;
      st.context.say(log_level::warn, "renewal_undone");
      st.host.hub.credential = hub.credential;
      then();
    },
    [self, then](const caf::error& why) {
      self->state.context.say(log_level::error,
                              "renewal_not_undone reason=\""
                                + to_string(to_ao_error(why)) + "\"");
      then();
    });
  return true;
}

void settle_greeted(self_pointer self) {
  auto& st = self->state;
  st.expired = false;
  tell_facts_again(self);
  if (!st.renewing)
    st.renew_at = {};
}

} // namespace ao::link_parts
