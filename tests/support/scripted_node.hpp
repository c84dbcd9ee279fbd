#pragma once

#include "messages/error.hpp"
#include "messages/wire.hpp"
#include "runtime/cluster/membership_file.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace ao {

/// Speaks over the link with the certificate of a node that has joined, and
/// says what a node would never say. One at a time in a process: two would
/// have one identity in CAF.
class scripted_node {
public:
  /// Dials. Throws, when nobody listens or lets this certificate in.
  /// @param root The home of the node, which does not run.
  explicit scripted_node(const std::filesystem::path& root);
  ~scripted_node();
  scripted_node(const scripted_node&) = delete;
  scripted_node& operator=(const scripted_node&) = delete;

  /// The first words that are right for this node.
  msg::node_hello hello(std::uint64_t incarnation = 1) const;

  /// Says them.
  result<std::string> greet(const msg::node_hello& words) const;

  /// Anything else; the body of the answer.
  result<std::string> call(std::string_view verb, std::uint64_t incarnation,
                           const std::string& body = "{}") const;

  /// Who else's name is on what is said from now on.
  void pose_as(const node_name& other);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ao
