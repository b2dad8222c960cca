#include "hangu/buffer/object_pool.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::buffer {
namespace {

struct Counted {
  Counted(int& counter, int start)
      : alive(counter),
        value(start) {
    ++alive;
  }

  ~Counted() { --alive; }

  int& alive;
  int value;
};

TEST(ObjectPool, ReusesTheStorageThatCameBackLast) {
  ObjectPool<Counted> pool;
  int alive = 0;
  auto first = pool.make(alive, 1);
  auto second = pool.make(alive, 2);
  const Counted* storage = second.get();
  second.reset();
  EXPECT_EQ(alive, 1);
  second = pool.make(alive, 3);
  EXPECT_EQ(second.get(), storage);
  EXPECT_EQ(second->value, 3);
  EXPECT_EQ(first->value, 1);
  EXPECT_EQ(pool.in_use(), 2U);
}

TEST(ObjectPool, Grows) {
  ObjectPool<Counted> pool;
  int alive = 0;
  std::vector<ObjectPool<Counted>::Ptr> objects;
  for (int i = 0; i < 1000; ++i) {
    objects.push_back(pool.make(alive, i));
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(objects[static_cast<size_t>(i)]->value, i);
  }
  objects.clear();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
}  // namespace hangu::buffer
