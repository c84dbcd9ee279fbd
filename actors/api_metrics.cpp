#include "actors/api_call.hpp"
#include "runtime/api/metrics.hpp"

namespace ao {

/// `GET /metrics`, for Prometheus.
void get_metrics(api_pointer self, api_call_ptr call) {
  const auto& st = self->state;
  http::response answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = api::metrics_text(
    *st.context.rows, *st.context.config,
    {st.host.version, st.host.started_at, st.context.names->all().size()});
  call->respond(std::move(answer));
}

} // namespace ao
