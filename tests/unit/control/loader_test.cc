#include "hangu/control/loader.h"

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace hangu::control {
namespace {

/// Tells on which thread it was destroyed.
class Traced {
 public:
  explicit Traced(std::thread::id& end)
      : end_(end) {}

  ~Traced() { end_ = std::this_thread::get_id(); }

  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

 private:
  std::thread::id& end_;
};

class LoaderTest : public ::testing::Test {
 protected:
  boost::asio::io_context context_;
  Loader loader_{context_};
};

TEST_F(LoaderTest, WorksBesideAndFollowsHere) {
  std::thread::id worked;
  std::string told;
  std::thread::id followed;
  loader_.run(
      [&] {
        worked = std::this_thread::get_id();
        return std::make_unique<std::string>("done");
      },
      [&](std::unique_ptr<std::string> text) {
        told = *text;
        followed = std::this_thread::get_id();
      });
  context_.run();  // waits for the loader
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_NE(worked, std::thread::id());
  EXPECT_EQ(told, "done");
  EXPECT_EQ(followed, std::this_thread::get_id());
}

TEST_F(LoaderTest, OneAfterTheOther) {
  std::vector<int> order;  // the loader's until join()
  bool followed = false;
  loader_.run([&] { order.push_back(1); });
  loader_.run([&] { order.push_back(2); }, [&] { followed = true; });
  loader_.run([&] { order.push_back(3); });
  loader_.join();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_FALSE(followed);
  context_.run();
  EXPECT_TRUE(followed);
}

TEST_F(LoaderTest, LastOwnerIsTheControlThread) {
  std::thread::id of_work;
  std::thread::id of_then;
  auto shared = std::make_shared<Traced>(of_then);
  std::promise<void> let_go;
  loader_.run([object = std::make_shared<Traced>(of_work),
               wait = std::make_shared<std::future<void>>(let_go.get_future())] { wait->get(); },
              [shared] {});
  shared.reset();  // what waits with the loader is the last owner now
  let_go.set_value();
  loader_.join();
  EXPECT_EQ(of_work, std::thread::id());
  EXPECT_EQ(of_then, std::thread::id());
  context_.run();
  EXPECT_EQ(of_work, std::this_thread::get_id());
  EXPECT_EQ(of_then, std::this_thread::get_id());
}

TEST_F(LoaderTest, NobodyIsLeftWhenTheContextGoesFirst) {
  std::thread::id end;
  {
    boost::asio::io_context context;
    Loader loader(context);
    loader.run([] {}, [object = std::make_shared<Traced>(end)] { FAIL() << "nobody runs it"; });
    loader.join();
  }
  EXPECT_EQ(end, std::this_thread::get_id());
}

}  // namespace
}  // namespace hangu::control
