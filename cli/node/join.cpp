#include "cli/node/node.hpp"
#include "messages/json.hpp"
#include "messages/protocol.hpp"
#include "runtime/cluster/membership_file.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/home/files.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/rules/join_tokens.hpp"
#include "runtime/tls/channel.hpp"

#include <filesystem>

namespace ao::node {
namespace {

/// A hub that listens everywhere is dialled where its door was.
std::string link_of(const std::string& told, const std::string& door) {
  auto where = tls::parse_address(told);
  auto at = tls::parse_address(door);
  if (!where || !at)
    return told;
  if (where->host == "0.0.0.0" || where->host == "::")
    return at->host + ":" + std::to_string(where->port);
  return told;
}

/// The key of an earlier try is as good as a new one.
result<std::string> own_key(const tls::identity_files& files) {
  std::error_code ignored;
  if (std::filesystem::exists(files.key, ignored))
    return read_file(files.key, 64 * 1024);
  auto key = tls::make_key();
  if (!key)
    return key;
  if (auto ok = write_file_durably(files.key, *key); !ok)
    return fail(ok.error());
  return key;
}

/// Whether the token is of the hub whose authority this home knows.
bool is_of_own_hub(const home& place, const join_token_parts& token) {
  auto pem = read_file(tls::node_files(place).authority, 64 * 1024);
  if (!pem)
    return false;
  auto facts = tls::read_certificate(*pem);
  return facts && facts->fingerprint == token.fingerprint;
}

/// The name to join under; empty = none yet. A home that has joined may do it
/// again under its own name, with a token of its hub, which says whether that
/// is wanted.
result<std::string> own_name(const home& place, const join_words& words,
                             const join_token_parts& token) {
  auto there = read_membership(place);
  if (!there)
    return words.name;
  if (!is_of_own_hub(place, token)
      || (!words.name.empty() && words.name != there->name.text))
    return fail(ec::wrong_state,
                place.root() + " is node " + there->name.text
                  + " of the hub at " + there->link
                  + "; to join another, stop it and remove this directory");
  return there->name.text;
}

} // namespace

result<std::string> join(const home& place, const join_words& words) {
  auto lock = home_lock::take(place);
  if (!lock)
    return fail(lock.error());
  auto token = parse_join_token(words.token);
  if (!token)
    return fail(token.error());
  auto name = own_name(place, words, *token);
  if (!name)
    return name;
  auto door = tls::parse_address(words.door);
  if (!door)
    return fail(door.error());
  auto files = tls::node_files(place);
  auto key = own_key(files);
  if (!key)
    return fail(key.error());
  auto request = tls::make_request(*key, name->empty() ? "node" : *name);
  if (!request)
    return fail(request.error());
  auto heard = tls::ask_door(door->host, door->port, token->fingerprint,
                             dump(json{{"protocol", node_protocol},
                                       {"token", words.token},
                                       {"name", *name},
                                       {"labels", words.labels},
                                       {"request", *request}}));
  if (!heard)
    return fail(heard.error());
  auto answer = parse_json(heard->line, "the hub's answer");
  if (!answer)
    return fail(answer.error());
  if (answer->contains("error"))
    return fail(ec_from_name(answer->value("error", "")),
                answer->value("detail", ""));
  auto certificate = answer->value("certificate", "");
  auto together = tls::belong_together({certificate, *key});
  if (!together || !*together)
    return fail(ec::internal, "the hub has certified another key");
  node_membership hub;
  hub.name = node_name{answer->value("name", "")};
  hub.link = link_of(answer->value("link", ""), words.door);
  hub.credential = answer->value("credential", "");
  // A renewal that was under way is of no use any more.
  if (auto ok = finish_renewal(place); !ok)
    return fail(ok.error());
  if (auto ok = write_file_durably(files.authority, heard->authority); !ok)
    return fail(ok.error());
  if (auto ok = write_file_durably(files.certificate, certificate); !ok)
    return fail(ok.error());
  if (auto ok = raise_incarnation(place, answer->value("life", 0u)); !ok)
    return fail(ok.error());
  // Last: who is there afterwards is a member.
  if (auto ok = write_membership(place, hub); !ok)
    return fail(ok.error());
  return hub.name.text;
}

} // namespace ao::node
