#include "runtime/notify/http_call.hpp"

#include "runtime/config/value_rules.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

namespace ao::notify {
namespace {

/// Once for the process; thread-safe as of curl 7.84.
void prepare_curl() {
  static const auto ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(ready);
}

struct easy_deleter {
  void operator()(CURL* x) const { curl_easy_cleanup(x); }
};
struct multi_deleter {
  void operator()(CURLM* x) const { curl_multi_cleanup(x); }
};
struct list_deleter {
  void operator()(curl_slist* x) const { curl_slist_free_all(x); }
};
using easy_ptr = std::unique_ptr<CURL, easy_deleter>;
using multi_ptr = std::unique_ptr<CURLM, multi_deleter>;
using list_ptr = std::unique_ptr<curl_slist, list_deleter>;

/// Where the answer's body goes, and how much of it.
struct body_sink {
  std::string& body;
  std::size_t longest;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* into) {
  auto& [body, longest] = *static_cast<body_sink*>(into);
  auto taken = std::min(size, longest - body.size());
  body.append(data, taken);
  // Less than all ends the transfer.
  return taken;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  while (!text.empty()
         && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  return text;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* into) {
  auto& headers = *static_cast<std::map<std::string, std::string>*>(into);
  std::string_view line{data, size};
  auto colon = line.find(':');
  // A status line begins a new answer (100, 200).
  if (line.substr(0, 5) == "HTTP/")
    headers.clear();
  else if (colon != line.npos) {
    std::string name{line.substr(0, colon)};
    for (auto& c : name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    headers[name] = trimmed(line.substr(colon + 1));
  }
  return size;
}

list_ptr header_list(const http_call& call) {
  list_ptr out;
  auto add = [&out](const std::string& line) {
    out.reset(curl_slist_append(out.release(), line.c_str()));
  };
  for (const auto& [name, value] : call.headers)
    add(name + ": " + value);
  // No round trip for the sake of a small body.
  add("Expect:");
  return out;
}

/// How it ended; nothing when it was stopped.
std::optional<CURLcode> transfer(CURL* easy, const stop_flag& stop) {
  // Without a signal the flag is looked at once a second.
  constexpr int longest_wait = 1'000;
  multi_ptr multi{curl_multi_init()};
  if (!multi || curl_multi_add_handle(multi.get(), easy) != CURLM_OK)
    return CURLE_OUT_OF_MEMORY;
  curl_waitfd wake{stop ? stop->descriptor() : -1, CURL_WAIT_POLLIN, 0};
  std::optional<CURLcode> out;
  for (int running = 1; running > 0 && !out;) {
    if (stop && stop->raised())
      break;
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK)
      out = CURLE_OUT_OF_MEMORY;
    else if (running > 0)
      curl_multi_poll(multi.get(), &wake, wake.fd < 0 ? 0 : 1, longest_wait,
                      nullptr);
  }
  int left = 0;
  while (auto* told = curl_multi_info_read(multi.get(), &left))
    if (told->msg == CURLMSG_DONE)
      out = told->data.result;
  curl_multi_remove_handle(multi.get(), easy);
  return out;
}

} // namespace

bool is_safe_url(const std::string& url) {
  return url.compare(0, 8, "https://") == 0
    || (url.compare(0, 7, "http://") == 0 && is_loopback_url(url));
}

http_reply perform(const http_call& call, const stop_flag& stop) {
  http_reply out;
  if (!is_safe_url(call.url)) {
    out.failure = "the url is neither https nor on loopback";
    return out;
  }
  prepare_curl();
  easy_ptr easy{curl_easy_init()};
  if (!easy) {
    out.failure = "no memory for a request";
    return out;
  }
  auto set = [&easy](auto option, auto value) {
    curl_easy_setopt(easy.get(), option, value);
  };
  auto headers = header_list(call);
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method != "GET") {
    set(CURLOPT_POSTFIELDS, call.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_USERAGENT, "ao");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  if (is_loopback_url(call.url))
    set(CURLOPT_PROXY, "");
  set(CURLOPT_WRITEFUNCTION, take_body);
  body_sink sink{out.body, call.longest};
  set(CURLOPT_WRITEDATA, &sink);
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, &out.headers);
  auto code = transfer(easy.get(), stop);
  auto cut = code == CURLE_WRITE_ERROR && out.body.size() == call.longest;
  if (code != CURLE_OK && !cut) {
    if (!code)
      out.failure = "it was stopped";
    else
      out.failure = *code == CURLE_OPERATION_TIMEDOUT
        ? "no answer within " + format_duration(call.timeout)
        : curl_easy_strerror(*code);
    return out;
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  out.status = static_cast<int>(status);
  return out;
}

} // namespace ao::notify
