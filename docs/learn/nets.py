from opgrad import Value


class Neuron:
    def __init__(self, inputs, rng, activation=None):
        self.weights = [Value(rng.uniform(-1.0, 1.0)) for _ in range(inputs)]
        self.bias = Value(0.0)
        self.activation = activation

    def __call__(self, xs):
        total = self.bias
        for weight, x in zip(self.weights, xs, strict=True):
            total = total + weight * x
        return self.activation(total) if self.activation else total

    def parameters(self):
        return [*self.weights, self.bias]


class Layer:
    def __init__(self, inputs, outputs, rng, activation=None):
        self.neurons = [Neuron(inputs, rng, activation) for _ in range(outputs)]

    def __call__(self, xs):
        return [neuron(xs) for neuron in self.neurons]

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    def __init__(self, sizes, rng, activation):
        *hidden, last = zip(sizes, sizes[1:])
        self.layers = [Layer(*shape, rng, activation) for shape in hidden]
        self.layers.append(Layer(*last, rng))

    def __call__(self, xs):
        for layer in self.layers:
            xs = layer(xs)
        return xs[0] if len(xs) == 1 else xs

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0
