/* ngc.hpp - a model as an object of C++98 or newer: it owns its blocks, knows tensors by name, and
 * checks sizes and types. Link the emitted C; there is nothing else to link.
 *
 *     #include "iris.h"
 *     #include "ngc.hpp"
 *
 *     ngc::Model iris(iris_model);
 *     iris.input("x", rows);               // a vector: its size says what m is
 *     iris.input("t", kinds);
 *     double loss = iris.step();
 *     ngc::View<float> W = iris.param<float>("h.W");
 *
 * What does not fit throws ngc::Error. Compiled with -fno-exceptions, it is printed, and the
 * program is aborted. ngrt_host.h, if it is included before, adds save and load.
 */
#ifndef NGC_HPP
#define NGC_HPP

#ifndef NGRT_TYPES /* a standalone model's header has them */
#include "ngrt.h"
#endif

#include <cstddef>
#include <cstring>
#include <stdint.h>
#include <stdexcept>
#include <string>
#include <vector>

#if !defined __cpp_exceptions && !defined __EXCEPTIONS && !defined _CPPUNWIND
#include <cstdio>
#include <cstdlib>
#endif

namespace ngc
{

/* What was wrong; code() is NGRT_E..., as the C returned it or would have. */
class Error : public std::runtime_error
{
  public:
    Error(const std::string &text, int code) : std::runtime_error(text), code_(code) {}
    int code() const
    {
        return code_;
    }

  private:
    int code_;
};

inline void fail(const std::string &text, int code)
{
#if defined __cpp_exceptions || defined __EXCEPTIONS || defined _CPPUNWIND
    throw Error(text, code);
#else
    std::fprintf(stderr, "ngc: error %d: %s\n", code, text.c_str());
    std::abort();
#endif
}

/* The code of a type of elements. A tensor of another type is an error. */
template <class T> struct Element;
template <> struct Element<float> {
    enum { type = NGRT_F32 };
};
template <> struct Element<double> {
    enum { type = NGRT_F64 };
};
template <> struct Element<int32_t> {
    enum { type = NGRT_I32 };
};

/* The elements of a tensor, row by row. It belongs to the model, and ends with it. */
template <class T> class View
{
  public:
    View(T *at, const std::vector<int> &shape) : at_(at), shape_(shape), size_(1)
    {
        for (std::size_t i = 0; i < shape.size(); i++)
            size_ *= static_cast<std::size_t>(shape[i]);
    }

    std::size_t size() const
    {
        return size_;
    }
    const std::vector<int> &shape() const
    {
        return shape_;
    }
    T *data() const
    {
        return at_;
    }
    T *begin() const
    {
        return at_;
    }
    T *end() const
    {
        return at_ + size_;
    }
    T &operator[](std::size_t i) const
    {
        return at_[i];
    }

    T &at(std::size_t i) const
    {
        if (i >= size_)
            fail("an index is out of the tensor", NGRT_ESIZE);
        return at_[i];
    }

  private:
    T *at_;
    std::vector<int> shape_;
    std::size_t size_;
};

/* A model with its memory. A copy has memory of its own. */
class Model
{
  public:
    explicit Model(const ngrt_model &model, uint64_t seed = 1) : m_(&model), constant_(false)
    {
        start(NULL, NULL);
        init(seed);
    }

    /* A model of --weights: `params` is &NAME_weights, `state` &NAME_weights_state, if it is there.
     */
    Model(const ngrt_model &model, const void *params, const void *state)
        : m_(&model), constant_(true)
    {
        start(params, state);
    }

    /* Starting values of params and state. */
    void init(uint64_t seed)
    {
        if (m_->init && !constant_)
            m_->init(block(params_), block(state_), seed);
        ready_ = 0;
    }

    /* ---- inputs and run-time sizes ---- */

    /* The elements stay yours, and must live as long as they are used. */
    template <class T> void input(const std::string &name, const T *data, std::size_t count)
    {
        std::size_t i = find(name, NGRT_INPUT);
        const ngrt_tensor &t = m_->tensor[i];
        if (t.rank == 0)
            fail(name + " is a number", NGRT_EMODEL);
        if (t.type != static_cast<int>(Element<T>::type))
            fail(name + ": elements of another type", NGRT_EMODEL);
        put(inputs_, t.offset, data);
        count_[i] = count;
        given_[i] = true;
        ready_ = 0;
    }

    template <class T> void input(const std::string &name, const std::vector<T> &data)
    {
        input(name, data.empty() ? static_cast<const T *>(NULL) : &data[0], data.size());
    }

    /* An input without axes. */
    void input(const std::string &name, double number)
    {
        std::size_t i = find(name, NGRT_INPUT);
        const ngrt_tensor &t = m_->tensor[i];
        if (t.rank != 0)
            fail(name + " is not a number", NGRT_EMODEL);
        if (t.type == NGRT_F32) {
            put(inputs_, t.offset, static_cast<float>(number));
        } else if (t.type == NGRT_F64) {
            put(inputs_, t.offset, number);
        } else {
            if (!(number >= -2147483648.0 && number <= 2147483647.0) ||
                number != static_cast<double>(static_cast<int32_t>(number)))
                fail(name + " is a whole number of 32 bits", NGRT_EMODEL);
            put(inputs_, t.offset, static_cast<int32_t>(number));
        }
        given_[i] = true;
        ready_ = 0;
    }

    /* Sets a run-time size; 0: it is that of the inputs again, as without a call of this. */
    void size(const std::string &name, int n)
    {
        std::size_t d = find_dim(name);
        if (n < 0 || n > m_->dim[d].max)
            fail(name + ": a run-time size that is below 1 or above its bound", NGRT_ESIZE);
        fixed_[d] = n;
    }

    /* A run-time size, as of the last call. */
    int size(const std::string &name) const
    {
        return size_[find_dim(name)];
    }

    /* ---- functions; forward and step return the first loss ---- */

    double step()
    {
        want(m_->step != NULL && !constant_, "step");
        prepare(false);
        check(m_->step(block(params_), block(state_), block(inputs_), block(work_)), "step");
        return first_loss();
    }

    double forward()
    {
        call(m_->forward, "forward", false);
        ready_ = 1;
        return first_loss();
    }

    void predict()
    {
        call(m_->predict, "predict", true);
    }
    void eval()
    {
        call(m_->eval, "eval", false);
    }

    void backward()
    {
        want(m_->backward != NULL, "backward");
        if (ready_ < 1)
            fail("backward goes with a forward right before it", NGRT_EMODEL);
        if (grads_.empty())
            grads_.resize(m_->sizeof_grads);
        check(m_->backward(params(), block(state_), block(inputs_), block(work_), block(grads_)),
              "backward");
        ready_ = 2;
    }

    void update()
    {
        want(m_->update != NULL && !constant_, "update");
        if (ready_ < 2)
            fail("update goes with a backward right before it", NGRT_EMODEL);
        check(m_->update(block(params_), block(state_), block(inputs_), block(work_),
                         block(grads_)),
              "update");
        ready_ = 0;
    }

    /* Threads for large functions: ngrt_pool_create. The pool stays yours; NULL: none. */
    void pool(ngrt_pool *threads)
    {
        put(work_, 0, threads);
    }

    /* ---- tensors by name ---- */

    template <class T> View<T> param(const std::string &name)
    {
        if (constant_)
            fail(name + ": the weights are constants", NGRT_EMODEL);
        return view<T>(name, NGRT_PARAM, params_);
    }

    template <class T> View<T> state(const std::string &name)
    {
        if (constant_)
            fail(name + ": the state is constant", NGRT_EMODEL);
        return view<T>(name, NGRT_STATE, state_);
    }

    template <class T> View<T> output(const std::string &name)
    {
        return view<T>(name, NGRT_OUTPUT, work_);
    }

    /* "dJ/dh.W", after backward */
    template <class T> View<T> grad(const std::string &name)
    {
        if (grads_.empty())
            fail(name + ": gradients are computed by backward, after forward", NGRT_EMODEL);
        return view<T>(name, NGRT_GRAD, grads_);
    }

    /* A loss, metric or output without axes. */
    double value(const std::string &name) const
    {
        static const int roles[] = {NGRT_LOSS, NGRT_METRIC, NGRT_OUTPUT};
        for (int r = 0; r < 3; r++)
            for (int i = 0; i < m_->tensors; i++)
                if (m_->tensor[i].role == roles[r] && name == m_->tensor[i].name)
                    return number(m_->tensor[i]);
        fail("the model has no value '" + name + "'", NGRT_EMODEL);
        return 0;
    }

#ifdef NGRT_HOST_H
    /* Weights, in the formats of ngrt_weights_save; map may be NULL. */
    void save(const std::string &path, const char *map = NULL)
    {
        ngrt_message message;
        int status =
            ngrt_weights_save(m_, params(), block(state_), NULL, path.c_str(), map, &message);
        if (status)
            fail(message.text, status);
    }

    void load(const std::string &path, const char *map = NULL)
    {
        ngrt_message message;
        if (constant_)
            fail("the weights are constants", NGRT_EMODEL);
        int status =
            ngrt_weights_load(m_, block(params_), block(state_), NULL, path.c_str(), map, &message);
        if (status)
            fail(message.text, status);
        ready_ = 0;
    }
#endif

  private:
    typedef std::vector<unsigned char> Block; /* operator new aligns it for all types */
    typedef int (*Reads)(const void *, void *, const void *, void *);

    static void *block(Block &b)
    {
        return b.empty() ? NULL : &b[0];
    }

    /* Writes and reads a member of a block. */
    template <class T> static void put(Block &b, std::size_t offset, T value)
    {
        std::memcpy(&b[offset], &value, sizeof value);
    }
    template <class T> static T get(const Block &b, std::size_t offset)
    {
        T value;
        std::memcpy(&value, &b[offset], sizeof value);
        return value;
    }

    /* Blocks of zeros; the inputs have their default values. */
    void start(const void *params, const void *state)
    {
        if (m_->version != NGRT_MODEL_VERSION)
            fail("the model's descriptor has another version", NGRT_EMODEL);
        constants_ = params;
        params_.resize(constant_ ? 0 : m_->sizeof_params);
        state_.resize(m_->sizeof_state);
        inputs_.resize(m_->sizeof_inputs);
        work_.resize(m_->sizeof_work);
        copy(inputs_, m_->defaults, m_->sizeof_inputs);
        copy(state_, state, m_->sizeof_state);
        given_.resize(static_cast<std::size_t>(m_->tensors));
        count_.resize(given_.size());
        fixed_.resize(static_cast<std::size_t>(m_->dims));
        size_.resize(fixed_.size());
        for (std::size_t d = 0; d < size_.size(); d++)
            size_[d] = m_->dim[d].max;
        ready_ = 0;
    }

    static void copy(Block &to, const void *from, std::size_t size)
    {
        if (from && size > 0)
            std::memcpy(&to[0], from, size);
    }

    const void *params()
    {
        return constant_ ? constants_ : block(params_);
    }

    void want(bool there, const char *function) const
    {
        if (!there)
            fail(std::string("the model has no ") + function, NGRT_EMODEL);
    }

    static void check(int status, const char *function)
    {
        if (status == NGRT_ESIZE)
            fail(std::string(function) + ": a run-time size is below 1 or above its bound", status);
        if (status == NGRT_ELABEL)
            fail(std::string(function) + ": a label or index is out of its range", status);
        if (status)
            fail(std::string(function) + " failed", status);
    }

    void call(Reads function, const char *name, bool predicts)
    {
        want(function != NULL, name);
        prepare(predicts);
        check(function(params(), block(state_), block(inputs_), block(work_)), name);
    }

    double first_loss() const
    {
        for (int i = 0; i < m_->tensors; i++)
            if (m_->tensor[i].role == NGRT_LOSS && m_->tensor[i].rank == 0)
                return number(m_->tensor[i]);
        return 0;
    }

    double number(const ngrt_tensor &t) const
    {
        if (t.rank != 0)
            fail(std::string(t.name) + " is not a number", NGRT_EMODEL);
        if (t.type == NGRT_F32)
            return static_cast<double>(get<float>(work_, t.offset));
        if (t.type == NGRT_F64)
            return get<double>(work_, t.offset);
        return get<int32_t>(work_, t.offset);
    }

    /* ---- sizes ---- */

    /* Is the size of an axis just a run-time size? Of multiples (2*m) the descriptor has only the
     * largest; their arrays must have room for it. */
    bool is_dim(const ngrt_tensor &t, int axis) const
    {
        return t.dim[axis] >= 0 && t.shape[axis] == m_->dim[t.dim[axis]].max;
    }

    /* The size of an axis by `size`, where a size that is not known yet is 0. */
    int axis_size(const ngrt_tensor &t, int axis, const std::vector<int> &size) const
    {
        if (is_dim(t, axis))
            return size[static_cast<std::size_t>(t.dim[axis])];
        if (t.dim[axis] == -2)
            return m_->axis_length(static_cast<int>(&t - m_->tensor), axis, &size[0]);
        return t.shape[axis];
    }

    bool is_odd(const ngrt_tensor &t) const
    {
        for (int k = 0; k < t.rank; k++)
            if (t.dim[k] != -1 && !is_dim(t, k))
                return true;
        return false;
    }

    /* Does the function read this input, as a tensor? */
    bool reads(int i, bool predicts) const
    {
        const ngrt_tensor &t = m_->tensor[i];
        return t.role == NGRT_INPUT && t.rank > 0 && !(predicts && t.flags & NGRT_TARGET);
    }

    /* Finds a size that only one axis of an input has, by the number of its elements. */
    void infer(int i, std::vector<int> &size) const
    {
        const ngrt_tensor &t = m_->tensor[i];
        if (is_odd(t))
            return;

        std::size_t rest = 1, count = count_[static_cast<std::size_t>(i)], unknowns = 0,
                    unknown = 0;
        for (int k = 0; k < t.rank; k++) {
            int n = axis_size(t, k, size);
            if (n == 0 && is_dim(t, k)) {
                unknown = static_cast<std::size_t>(t.dim[k]);
                unknowns++;
            } else {
                rest *= static_cast<std::size_t>(n);
            }
        }
        if (unknowns != 1)
            return;
        std::size_t most = static_cast<std::size_t>(m_->dim[unknown].max);
        if (rest == 0 || count % rest != 0 || count / rest < 1 || count / rest > most)
            fail(std::string(t.name) + ": the number of elements fits no " + m_->dim[unknown].name,
                 NGRT_ESIZE);
        size[unknown] = static_cast<int>(count / rest);
    }

    /* Sets the run-time sizes, and checks that all inputs are there and have them. */
    void prepare(bool predicts)
    {
        std::vector<int> size = fixed_;
        for (std::size_t round = 0; round < size.size(); round++)
            for (int i = 0; i < m_->tensors; i++)
                if (reads(i, predicts) && given_[static_cast<std::size_t>(i)])
                    infer(i, size);

        for (std::size_t d = 0; d < size.size(); d++) {
            if (size[d] == 0)
                size[d] = m_->dim[d].max;
            put(inputs_, m_->dim[d].offset, size[d]);
        }
        for (int i = 0; i < m_->tensors; i++)
            check_input(i, predicts, size);
        size_ = size;
        ready_ = 0;
    }

    void check_input(int i, bool predicts, const std::vector<int> &size) const
    {
        const ngrt_tensor &t = m_->tensor[i];
        bool given = given_[static_cast<std::size_t>(i)];
        bool skipped = predicts && t.flags & NGRT_TARGET;
        if (t.role != NGRT_INPUT || skipped)
            return;
        if (!given && !(t.flags & NGRT_DEFAULT))
            fail(std::string("the input ") + t.name + " is missing", NGRT_EMODEL);
        if (!given || t.rank == 0)
            return;

        std::size_t count = 1;
        for (int k = 0; k < t.rank; k++)
            count *= static_cast<std::size_t>(axis_size(t, k, size));
        std::size_t has = count_[static_cast<std::size_t>(i)];
        if (is_odd(t) ? has < count : has != count)
            fail(std::string(t.name) + " has another number of elements than its shape says",
                 NGRT_ESIZE);
    }

    /* ---- names ---- */

    std::size_t find(const std::string &name, int role) const
    {
        for (int i = 0; i < m_->tensors; i++)
            if (m_->tensor[i].role == role && name == m_->tensor[i].name)
                return static_cast<std::size_t>(i);
        static const char *const of[] = {"input", "param", "state", "gradient", "output"};
        fail(std::string("the model has no ") + of[role] + " '" + name + "'", NGRT_EMODEL);
        return 0;
    }

    std::size_t find_dim(const std::string &name) const
    {
        for (int d = 0; d < m_->dims; d++)
            if (name == m_->dim[d].name)
                return static_cast<std::size_t>(d);
        fail("the model has no run-time size '" + name + "'", NGRT_EMODEL);
        return 0;
    }

    template <class T> View<T> view(const std::string &name, int role, Block &b)
    {
        const ngrt_tensor &t = m_->tensor[find(name, role)];
        if (t.type != static_cast<int>(Element<T>::type))
            fail(name + ": elements of another type", NGRT_EMODEL);
        std::vector<int> shape;
        for (int k = 0; k < t.rank; k++)
            shape.push_back(axis_size(t, k, size_));
        return View<T>(reinterpret_cast<T *>(&b[t.offset]), shape);
    }

    const ngrt_model *m_;
    bool constant_;         /* params and state are constants */
    const void *constants_; /* the params then */
    Block params_, state_, inputs_, work_, grads_;
    std::vector<bool> given_;        /* by tensor: an input that was set */
    std::vector<std::size_t> count_; /* by tensor: its elements */
    std::vector<int> fixed_, size_; /* by run-time size: as set by size(), or 0; of the last call */
    int ready_;                     /* 1: after forward, 2: after backward */
};

} // namespace ngc

#endif
