#pragma once

#include "runtime/http/respond.hpp"

#include <string>
#include <vector>

namespace ao::http {

/// Finds the handler of a request by method and path. Unknown path: 404
/// `no_such_route`; known path, other method: 405 with `Allow`.
class router {
public:
  /// Adds a route, e.g. `on("GET", "/api/v1/tasks/{id}", fn)`; a `{name}`
  /// segment matches any one segment and is found in `request::params`. A
  /// literal segment is preferred to a `{name}`, whatever the order.
  router& on(std::string method, std::string_view pattern, handler fn);

  /// Dispatches; a router is a handler.
  void operator()(request what, respond_once respond) const;

private:
  struct route {
    std::string method;
    std::vector<std::string> segments;
    handler fn;
  };
  std::vector<route> routes_;
};

} // namespace ao::http
