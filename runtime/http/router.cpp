#include "runtime/http/router.hpp"

#include "runtime/http/problem.hpp"

#include <algorithm>
#include <set>

namespace ao::http {
namespace {

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// The number of literal segments, or -1 when the path does not match.
int match(const std::vector<std::string>& pattern,
          const std::vector<std::string>& path) {
  if (pattern.size() != path.size())
    return -1;
  int literal = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_parameter(pattern[i]))
      continue;
    if (pattern[i] != path[i])
      return -1;
    ++literal;
  }
  return literal;
}

std::map<std::string, std::string>
parameters(const std::vector<std::string>& pattern,
           const std::vector<std::string>& path) {
  std::map<std::string, std::string> out;
  for (std::size_t i = 0; i < path.size(); ++i)
    if (is_parameter(pattern[i]))
      out[pattern[i].substr(1, pattern[i].size() - 2)] = path[i];
  return out;
}

std::string join(const std::set<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

} // namespace

router& router::on(std::string method, std::string_view pattern, handler fn) {
  // Patterns are ours and not encoded, so they are split, not decoded.
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    auto end = pattern.find('/');
    if (end != 0)
      segments.emplace_back(pattern.substr(0, end));
    pattern = end == std::string_view::npos ? std::string_view{}
                                            : pattern.substr(end + 1);
  }
  routes_.push_back({std::move(method), std::move(segments), std::move(fn)});
  return *this;
}

void router::operator()(request what, respond_once respond) const {
  // The most literal pattern owns the path; only then the method is looked
  // at, so that `Allow` names the methods of that very resource.
  int best = -1;
  for (const auto& candidate : routes_)
    best = std::max(best, match(candidate.segments, what.path));
  if (best < 0) {
    respond(problem_response(ec::no_such_route,
                             what.method + " " + what.target
                               + " is not part of the API"));
    return;
  }
  std::set<std::string> allowed;
  for (const auto& candidate : routes_) {
    if (match(candidate.segments, what.path) != best)
      continue;
    if (candidate.method == what.method) {
      what.params = parameters(candidate.segments, what.path);
      candidate.fn(std::move(what), std::move(respond));
      return;
    }
    allowed.insert(candidate.method);
  }
  auto list = join(allowed);
  auto answer = problem_response(ec::method_not_allowed,
                                 what.method + " is not possible on "
                                   + what.target + ", expected " + list,
                                 {{"allow", list}});
  answer.headers.emplace_back("Allow", list);
  respond(std::move(answer));
}

} // namespace ao::http
