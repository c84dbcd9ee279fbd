#include "runtime/io/loop.hpp"
#include "runtime/process/process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <memory>

namespace ao {

void watch(io_loop& loop, unique_fd pidfd,
           std::function<void(std::optional<exit_status>)> on_end) {
  using boost::asio::posix::stream_descriptor;
  // Registered on the loop's own thread, as everything of the loop is.
  auto fd
    = std::make_shared<stream_descriptor>(loop.context(), pidfd.release());
  loop.post([fd, on_end = std::move(on_end)] {
    fd->async_wait(stream_descriptor::wait_read,
                   [fd, on_end](const boost::system::error_code& ec) {
                     if (ec)
                       return;
                     auto status = reap(fd->native_handle());
                     on_end(status ? std::optional{*status} : std::nullopt);
                   });
  });
}

} // namespace ao
