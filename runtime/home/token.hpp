#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "runtime/home/home.hpp"

#include <string>
#include <string_view>

namespace ao {

/// The secret of a home: 32 random bytes in a 0600 file; signs tokens.
struct home_secret {
  std::string bytes;
};

/// Reads the secret, or makes it when there is none. Errors: `home_unusable`
/// (also when others can read it, or it is cut short).
result<home_secret> load_or_make_secret(const home& where);

/// What a token says about its bearer: one run of one session.
struct token_claims {
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  /// `worker`, `reviewer`, `mediator`, `orchestrator`, `manual`.
  std::string role;
  project_id project;
  task_id task;

  friend bool operator==(const token_claims& a, const token_claims& b) {
    return a.session == b.session && a.epoch == b.epoch && a.run == b.run
      && a.role == b.role && a.project == b.project && a.task == b.task;
  }
};

/// `aot_<base64url(claims as JSON)>.<base64url(HMAC-SHA256)>`.
std::string mint_token(const home_secret& secret, const token_claims& claims);

/// The claims of a token that was minted with this secret; whether they are
/// still the present ones (epoch, run) is for the caller. Compares in
/// constant time. Errors: `bad_token`.
result<token_claims> verify_token(const home_secret& secret,
                                  std::string_view token);

/// Eight characters that nobody guesses: capitals and digits without those that
/// look alike (0 O 1 I L).
std::string make_code();

/// 32 random bytes in base64url: a secret between two programs.
std::string make_shared_secret();

/// The token of the operator's programs on TCP, from `api.token` of the home;
/// made when there is none, so that removing the file changes it at the next
/// start. Errors: those of reading and writing; `home_unusable` (too short).
result<std::string> load_or_make_api_token(const home& where);

/// Compares without telling by its duration where the difference is.
bool equal_in_constant_time(std::string_view a, std::string_view b);

} // namespace ao
