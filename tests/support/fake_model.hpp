#pragma once

#include "tests/support/loopback_server.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace ao {

/// A model on loopback for real agent programs: speaks the Responses API of
/// OpenAI and the Messages API of Anthropic as far as codex and claude-code
/// need it. It understands lines of what it is asked last:
///
///   RUN: <command>    has the program run it, then says `Done.`
///   ASK: <command>    the same, as something that the user is to be asked
///   about WAIT: <file>      has the program make `<file>.begun`, then wait
///   until
///                     the file is there
///
/// and answers everything else with `Heard.`
class fake_model {
public:
  fake_model();

  /// `http://127.0.0.1:<port>`; codex wants `/v1` behind it.
  std::string url() const { return server_.url(); }

  /// From now on nobody's key is taken (401), or everybody's is again.
  void refuse_keys(bool refuse);

  /// What the user has said in the conversations so far, in the order in which
  /// each was first seen as the last word of a request.
  std::vector<std::string> asked() const;

  /// How many user messages the longest request so far has held.
  std::size_t longest_conversation() const;

private:
  loopback_reply answer(const loopback_request& request);

  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::size_t longest_ = 0;
  int count_ = 0;
  bool refuses_ = false;
  loopback_server server_;
};

} // namespace ao
