#include "actors/node_proxy_parts.hpp"
#include "actors/node_record.hpp"
#include "runtime/cluster/credential.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/tls/files.hpp"

/// How a node gets its next certificate, and what is said of one that has
/// missed it.
namespace ao::node_proxy_parts {
namespace {

/// Wall clocks are set, and hosts sleep: no look is further away than this.
constexpr std::chrono::hours longest_wait{1};

result<std::string> answer_to(self_pointer self, const std::string& request) {
  auto& context = self->state.context;
  auto authority = tls::read_authority(*context.place);
  if (!authority)
    return fail(authority.error());
  auto row = row_of(self);
  auto certificate
    = sign_renewal(*row, *authority, request, context.now(),
                   std::chrono::duration_cast<std::chrono::seconds>(
                     context.config->cluster.certificate_life));
  if (!certificate)
    return fail(certificate.error());
  auto facts = tls::read_certificate(*certificate);
  if (!facts)
    return fail(facts.error());
  return dump(
    json{{"certificate", *certificate},
         {"credential",
          mint_credential(*context.secret,
                          {row->name, facts->serial, facts->not_after})}});
}

} // namespace

void take_renewal(self_pointer self, const msg::wire_call& call,
                  reply_promise promise) {
  auto& st = self->state;
  auto in = parse_json(call.body, "the node's request");
  if (!in)
    return refuse(promise, in.error());
  auto request = in->value("request", "");
  auto answer = answer_to(self, request);
  if (!answer)
    return refuse(promise, answer.error());
  // Asked again with the same request, the node gets the same certificate.
  store_write write;
  write.request
    = request_id{"renew/" + st.node.text + "/" + sha256_hex(request)};
  write.answer = *answer;
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [promise, answer = *answer](const store_written& done) mutable {
        promise.deliver(
          msg::wire_reply{done.repeated ? done.answer : answer, {}});
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

event renewed_event(self_pointer self, const cluster_node& row) {
  return make_event(
    event_kind::node_renewed, self->state.context.now(), subject_of(row.name),
    "node-proxy", 0,
    event_data{}
      .with("node", row.name)
      .with("certifiedUntil", format_time(row.certified_until)));
}

void take_renewed(self_pointer self, const msg::wire_call& call,
                  reply_promise promise) {
  auto& st = self->state;
  auto in = parse_json(call.body, "the node's word");
  if (!in)
    return refuse(promise, in.error());
  auto claims
    = verify_credential(*st.context.secret, in->value("credential", ""));
  if (!claims)
    return refuse(promise, claims.error());
  if (claims->name != st.node || !with_shown(*row_of(self), *claims))
    return refuse(promise,
                  {ec::bad_token,
                   "the credential is not of the certificate that "
                     + st.node.text + " has asked for"});
  decide_row(
    self,
    [self,
     claims = *claims](const cluster_node& row) -> std::optional<store_write> {
      auto next = with_shown(row, claims);
      if (!next || next->serial == row.serial)
        return std::nullopt;
      next->version += 1;
      store_write write;
      write.events = {renewed_event(self, *next)};
      write.rows = {std::move(*next)};
      return write;
    },
    [promise](const result<cluster_node>& done) mutable {
      if (!done)
        return refuse(promise, done.error());
      promise.deliver(msg::wire_reply{"{}", {}});
    });
}

void look_at_expiry(self_pointer self) {
  auto& st = self->state;
  auto row = row_of(self);
  if (!row || row->order == node_order::revoked)
    return;
  auto left = row->certified_until - st.context.now();
  if (left.count() >= 0) {
    st.expired.clear();
    return arm(
      self,
      self->clock().now()
        + std::min<milliseconds>(left + milliseconds{1}, longest_wait));
  }
  if (std::exchange(st.expired, row->serial) == row->serial)
    return;
  auto why = expiry_text(row->name, row->certified_until);
  st.context.say(log_level::error,
                 "node_expired node=" + row->name.text + " reason=\"" + why
                   + "\"");
  show(self);
  // Told once, also by the next life of this actor.
  msg::node_report told;
  told.subject = subject_of(row->name);
  told.kind = event_kind::node_expired;
  told.data = event_data{}
                .with("node", row->name)
                .with("certifiedUntil", format_time(row->certified_until))
                .with("reason", why)
                .text();
  told.once = true;
  record_node_report(self, st.context, st.node, told,
                     self->make_response_promise<std::uint64_t>());
}

} // namespace ao::node_proxy_parts
