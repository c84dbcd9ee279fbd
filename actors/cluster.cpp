#include "actors/cluster.hpp"

#include "messages/json.hpp"
#include "messages/protocol.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/cluster/credential.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/join_tokens.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using self_pointer = cluster_actor::stateful_pointer<cluster_state>;

constexpr milliseconds shortest_ttl{1'000};
constexpr std::chrono::hours longest_ttl{24 * 7};

void work(self_pointer self);

/// A decision: what is written, and what is answered then.
struct decision {
  store_write write;
  result<std::string> answer;
};

/// Logs it, too.
event refusal_event(const hub_context& context, const std::string& from,
                    const node_name& name, const error& why) {
  context.say(log_level::warn,
              "node_refused from=" + from + " reason=\"" + to_string(why)
                + "\"");
  return make_event(event_kind::node_refused, context.now(), "hub", "cluster",
                    0,
                    event_data{}
                      .with("from", from)
                      .with("node", name)
                      .with("reason", std::string{to_string(why.code)})
                      .with("detail", why.context));
}

decision refused_join(self_pointer self, const msg::join_cluster& asked,
                      const error& why) {
  decision out{{}, fail(why)};
  out.write.events
    = {refusal_event(self->state.context, asked.from, asked.name, why)};
  return out;
}

/// Waits until it is durable; for the door's threads.
void record(caf::actor_system& system, const hub_context& context, event what) {
  store_write write;
  write.events = {std::move(what)};
  auto store = context.names->find<store_actor>("store"_name);
  if (!store)
    return;
  caf::scoped_actor self{system};
  self->request(store, store_deadline, std::move(write))
    .receive([](const store_written&) {},
             [&context](const caf::error& lost) {
               context.say(log_level::error,
                           "refusal_not_recorded reason=\""
                             + to_string(to_ao_error(lost)) + "\"");
             });
}

std::vector<std::string> sorted(std::vector<std::string> xs) {
  std::sort(xs.begin(), xs.end());
  xs.erase(std::unique(xs.begin(), xs.end()), xs.end());
  return xs;
}

result<void> check_words(const node_name& name,
                         const std::vector<std::string>& labels) {
  if (!name.empty() && !is_node_name(name.text))
    return fail(ec::bad_input,
                "name: \"" + name.text
                  + "\" is no name of a node, expected letters, digits and . _ "
                    "-, at most 40, and not local or hub");
  for (const auto& label : labels)
    if (!is_label(label))
      return fail(ec::bad_input,
                  "label: \"" + label + "\" is no label, expected key=value");
  return {};
}

/// Whether a node of this name can only come back by joining anew.
bool may_join_again(const cluster_node& known, wall_time now) {
  return known.order != node_order::revoked && known.certified_until < now;
}

decision decide(self_pointer self, const msg::make_join_token& asked) {
  auto& context = self->state.context;
  auto refuse = [](error why) { return decision{{}, fail(std::move(why))}; };
  auto authority = tls::read_authority(*context.place);
  if (!authority)
    return refuse(authority.error());
  auto facts = tls::read_certificate(authority->certificate);
  if (!facts)
    return refuse(facts.error());
  if (auto ok = check_words(asked.name, asked.labels); !ok)
    return refuse(ok.error());
  if (asked.ttl < shortest_ttl || asked.ttl > longest_ttl)
    return refuse(
      {ec::bad_input,
       "ttl: " + format_duration(asked.ttl) + " is not from 1s to 7d"});
  if (auto known = context.rows->find<cluster_node>(asked.name.text);
      known && !may_join_again(*known, context.now()))
    return refuse({ec::wrong_state,
                   "there is a node called " + asked.name.text + " already"});
  join_token_parts parts{random_hex(join_id_digits),
                         random_hex(join_secret_digits), facts->fingerprint};
  join_token row;
  row.id = parts.id;
  row.version = 1;
  row.hash = sha256_hex(parts.secret);
  row.name = asked.name;
  row.labels = sorted(asked.labels);
  row.created_at = context.now();
  row.expires_at = row.created_at + asked.ttl;
  decision out{{},
               dump(json{{"token", to_string(parts)},
                         {"expiresAt", format_time(row.expires_at)},
                         {"caFingerprint", facts->fingerprint}})};
  out.write.events = {make_event(
    event_kind::node_token_made, row.created_at, "hub", asked.actor, 0,
    event_data{}
      .with("token", row.id)
      .with("node", row.name)
      .with("expiresAt", format_time(row.expires_at)))};
  out.write.rows = {std::move(row)};
  return out;
}

/// The name of the token, else of the node, else the first free `n<k>`.
result<node_name> name_for(const row_view& rows, const join_token& token,
                           const node_name& wished, wall_time now) {
  if (!token.name.empty() && !wished.empty() && token.name != wished)
    return fail(ec::bad_input,
                "the token is for a node called " + token.name.text + ", not "
                  + wished.text);
  auto name = token.name.empty() ? wished : token.name;
  for (int k = 1; name.empty(); ++k)
    if (!rows.find<cluster_node>("n" + std::to_string(k)))
      name = node_name{"n" + std::to_string(k)};
  auto known = rows.find<cluster_node>(name.text);
  // Only the token says that it is the same one again.
  if (known && !(token.name == name && may_join_again(*known, now)))
    return fail(ec::wrong_state,
                "there is a node called " + name.text
                  + " already; choose another --name");
  return name;
}

/// The row of a node that has joined, for the first time or again.
cluster_node certified(const row_ptr<cluster_node>& known,
                       const node_name& name,
                       const tls::certificate_facts& facts, wall_time now) {
  cluster_node out;
  if (known)
    out = *known;
  else
    out.joined_at = now;
  out.name = name;
  out.version += 1;
  out.serial = facts.serial;
  out.certified_until = facts.not_after;
  out.updated_at = now;
  return out;
}

result<decision> let_in(self_pointer self, const msg::join_cluster& asked) {
  auto& context = self->state.context;
  auto authority = tls::read_authority(*context.place);
  if (!authority)
    return fail(authority.error());
  auto facts = tls::read_certificate(authority->certificate);
  auto parts = parse_join_token(asked.token);
  if (!facts || !parts)
    return fail(facts ? parts.error() : facts.error());
  auto token = context.rows->find<join_token>(parts->id);
  join_attempt attempt;
  attempt.shown = *parts;
  attempt.hash = sha256_hex(parts->secret);
  attempt.fingerprint = facts->fingerprint;
  attempt.now = context.now();
  attempt.known = token.get();
  if (auto ok = judge_join(attempt); !ok)
    return fail(ok.error());
  if (auto ok = check_words(asked.name, asked.labels); !ok)
    return fail(ok.error());
  auto name = name_for(*context.rows, *token, asked.name, attempt.now);
  if (!name)
    return fail(name.error());
  auto signed_now
    = tls::sign_request(*authority, asked.request, name->text, attempt.now,
                        std::chrono::duration_cast<std::chrono::seconds>(
                          context.config->cluster.certificate_life));
  if (!signed_now)
    return fail(signed_now.error());
  auto cert = tls::read_certificate(*signed_now);
  if (!cert)
    return fail(cert.error());

  auto node = certified(context.rows->find<cluster_node>(name->text), *name,
                        *cert, attempt.now);
  auto labels = token->labels;
  labels.insert(labels.end(), asked.labels.begin(), asked.labels.end());
  // One that joins again without a word about them keeps its own.
  if (node.version == 1 || !labels.empty())
    node.labels = sorted(std::move(labels));
  auto used = *token;
  used.version += 1;
  used.used_at = attempt.now;
  used.used_by = *name;
  decision out{
    {},
    dump(json{{"name", name->text},
              {"certificate", *signed_now},
              {"credential",
               mint_credential(*context.secret,
                               {*name, cert->serial, cert->not_after})},
              {"link", link_address(*context.config)},
              {"life", node.incarnation},
              {"expiresAt", format_time(cert->not_after)}})};
  out.write.events = {make_event(
    event_kind::node_enrolled, attempt.now, subject_of(*name), "cluster", 0,
    event_data{}
      .with("node", *name)
      .with("from", asked.from)
      .with("token", used.id)
      .with("certifiedUntil", format_time(cert->not_after)))};
  out.write.rows = {std::move(node), std::move(used)};
  return out;
}

decision decide(self_pointer self, const msg::join_cluster& asked) {
  auto made = let_in(self, asked);
  return made ? std::move(*made) : refused_join(self, asked, made.error());
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto call = next_turn(st.turns);
    auto made = std::visit(
      [self](const auto& asked) { return decide(self, asked); }, call.what);
    if (made.write.rows.empty() && made.write.events.empty()) {
      call.answer(std::move(made.answer));
      continue;
    }
    write_in_turn(
      self, st.context, st.turns, std::move(made.write), call,
      [call, answer = std::move(made.answer)](const store_written&) {
        call.answer(answer);
      },
      [self] { work(self); });
  }
}

template <class Answer, class Asked, class Read>
caf::result<Answer> take(self_pointer self, Asked asked, Read read) {
  auto promise = self->make_response_promise<Answer>();
  line_up(self->state.turns,
          cluster_call{std::move(asked),
                       [promise, read](result<std::string> said) mutable {
                         if (said)
                           promise.deliver(read(json::parse(*said)));
                         else
                           promise.deliver(make_error(said.error()));
                       }});
  work(self);
  return promise;
}

msg::join_token_made token_from(const json& in) {
  msg::join_token_made out;
  out.token = in.at("token").get<std::string>();
  out.expires_at = *parse_time(in.at("expiresAt").get<std::string>());
  out.fingerprint = in.at("caFingerprint").get<std::string>();
  return out;
}

msg::joined_cluster joined_from(const json& in) {
  msg::joined_cluster out;
  out.name = node_name{in.at("name").get<std::string>()};
  out.certificate = in.at("certificate").get<std::string>();
  out.credential = in.at("credential").get<std::string>();
  out.link = in.at("link").get<std::string>();
  out.life = in.at("life").get<std::uint64_t>();
  out.expires_at = *parse_time(in.at("expiresAt").get<std::string>());
  return out;
}

/// Errors end the actor: a port that was asked for and is not there would be
/// found out by the first node, in the night.
void open_door(self_pointer self) {
  auto& st = self->state;
  const auto& listen = st.context.config->cluster.listen;
  if (!listen)
    return;
  auto where = tls::parse_address(*listen);
  if (!where)
    throw std::runtime_error("cluster.listen: " + where.error().context);
  // The door's threads end before the system does: they ask by name.
  auto* system = &self->system();
  auto opened = tls::door::open(
    tls::hub_files(*st.context.place), where->host, where->port,
    [system, context = st.context](const tls::spoken& said) {
      return answer_at_door(*system, context, said.line, said.from);
    });
  if (!opened)
    throw std::runtime_error("cluster.listen: " + to_string(opened.error()));
  st.door = std::make_shared<tls::door>(std::move(*opened));
  st.context.say(log_level::info, "cluster_listens address=" + *listen);
}

} // namespace

std::string answer_at_door(caf::actor_system& system,
                           const hub_context& context, const std::string& line,
                           const std::string& from) {
  auto refusal = [](const error& why) {
    return dump(json{{"error", std::string{to_string(why.code)}},
                     {"detail", why.context}});
  };
  // Before the CLUSTER has heard of it.
  auto turn_away = [&](const error& why) {
    record(system, context, refusal_event(context, from, node_name{}, why));
    return refusal(why);
  };
  msg::join_cluster order;
  order.from = from;
  try {
    auto in = json::parse(line);
    if (in.value("protocol", 0u) != node_protocol)
      return turn_away({ec::protocol_mismatch,
                        "this hub speaks protocol "
                          + std::to_string(node_protocol)
                          + " with nodes; install the same version on both"});
    order.token = in.at("token").get<std::string>();
    order.name = node_name{in.value("name", "")};
    order.labels = in.value("labels", std::vector<std::string>{});
    order.request = in.at("request").get<std::string>();
  } catch (const json::exception&) {
    return refusal({ec::bad_input, "this is no request to join"});
  }
  auto keeper = context.names->find<cluster_actor>("cluster"_name);
  if (!keeper)
    return refusal({ec::shutting_down, "the hub is starting or stopping"});
  caf::scoped_actor self{system};
  std::string out;
  self->request(keeper, registry_deadline, order)
    .receive(
      [&](const msg::joined_cluster& joined) {
        out = dump(json{{"name", joined.name.text},
                        {"certificate", joined.certificate},
                        {"credential", joined.credential},
                        {"link", joined.link},
                        {"life", joined.life},
                        {"expiresAt", format_time(joined.expires_at)}});
      },
      [&](const caf::error& why) { out = refusal(to_ao_error(why)); });
  return out;
}

cluster_actor::behavior_type cluster(self_pointer self, hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  open_door(self);
  return {
    [self](const msg::make_join_token& asked) {
      return take<msg::join_token_made>(self, asked, token_from);
    },
    [self](const msg::join_cluster& asked) {
      return take<msg::joined_cluster>(self, asked, joined_from);
    },
  };
}

} // namespace ao
