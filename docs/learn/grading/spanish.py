"""The words of the course's checks in Spanish."""

from __future__ import annotations

import re

__all__ = ["PHRASES", "TASKS", "in_spanish"]

TASKS = {
    "1.1": "Las filas de x son pares de 0 y 1; devuelve el o exclusivo de cada una.",
    "1.2": "Devuelve la derivada de la sigmoide en cada elemento de z.",
    "2.1": "Aplica la regla de Rosenblatt a un ejemplo; devuelve los pesos nuevos y el sesgo "
    "nuevo.",
    "2.2": "Devuelve el gradiente de (w·x - t)² respecto de w.",
    "3.1": "El paso de la demostración: devuelve los pesos y el sesgo de una unidad que se activa, "
    "en los cuatro pares de 0 y 1, justo donde no lo hace la unidad con w y b.",
    "3.2": "Devuelve el gradiente de max(0, x1 + x2) - 2·max(0, x1 + x2 - 1) en el punto x.",
    "4.1": "Devuelve las dos derivadas de (a·b + a)² como un par.",
    "4.2": "Devuelve la derivada de x elevado a x.",
    "4.3": "Devuelve la derivada de sin² en cada elemento de x.",
    "5.1": "La capa oculta tiene tanh, la salida una sigmoide, el coste es ½·sum((output - t)²): "
    "devuelve el gradiente respecto de w1.",
    "5.2": "Devuelve el VJP de x / |x|, donde |x| es la longitud de x.",
    "6.1": "Un paso simple en ½·(w1² + 25·w2²) multiplica w1 y w2 por dos factores: devuelve el "
    "par.",
    "6.2": "Devuelve el gradiente del valle de Rosenbrock en x.",
    "7.1": "Devuelve el gradiente de la entropía cruzada respecto de los logits z, un vector, si "
    "label es la correcta.",
    "7.2": "El objetivo es 1: devuelve, como un par, las derivadas respecto del logit z del error "
    "cuadrático de su sigmoide y de su entropía cruzada binaria.",
    "7.3": "Haz que se califique cada peso de un clasificador con su pérdida; devuelve True o "
    "False.",
    "8.1": "Devuelve una imagen próxima a la dada, con números de 0 a 1, que el modelo tome por "
    "other.",
    "8.2": "Devuelve una red para los dígitos, con 64 entradas y 10 logits, que se pueda "
    "calificar: en doble precisión, y pequeña.",
    "8.3": "accuracies es un diccionario de la anchura de la capa oculta a la exactitud en el "
    "conjunto de validación: devuelve la menor anchura que alcanza wanted; None si ninguna.",
    "9.1": "Devuelve la tanh de un Value de docs/learn/engine.py, como un Value.",
    "9.2": "Devuelve el cociente de dos Values de docs/learn/engine.py.",
    "9.3": "Devuelve cuántas operaciones tiene el camino más largo hasta un Value.",
    "10.1": "Devuelve, en una lista, las pendientes locales de la operación que hizo un ag.Value "
    "de números.",
    "10.2": "Devuelve el gradiente g sumado a la forma que tenía un operando antes de difundirse.",
    "11.1": "Cuenta las columnas distintas de los pesos de una capa.",
    "11.2": "Devuelve la cota de pesos uniformes con la varianza de He.",
    "12.1": "Devuelve la distancia de cada fila de a a cada fila de b.",
    "12.2": "Devuelve x, cada columna con media 0 y desviación 1.",
    "13.1": "Devuelve la exponencial de (valor, pendiente), como un par.",
    "13.2": "Devuelve dónde está el método de Newton al cabo de tantos pasos.",
    "14.1": "Devuelve el límite del descenso.",
    "14.2": "Devuelve w, m y s después del paso número t.",
    "15.1": "Di minimum, maximum, saddle o undecided.",
    "15.2": "Devuelve el mejor final de varios descensos.",
    "16.1": "Devuelve números entre low y high, para cualquier z.",
    "16.2": "Devuelve el gradiente de nn.multilabel respecto de z.",
    "17.1": "Devuelve los menores pesos w con a @ w = y.",
    "17.2": "Devuelve el mínimo de |a w - y|² + strength·|w|².",
    "18.1": "Devuelve el peso después de que la regla de Hebb haya visto un par.",
    "18.2": "Deja que las unidades se activen hasta que nada cambie.",
    "framework.1": "Escribe forward, backward y step de Linear.",
    "framework.2": "Escribe forward y backward de Softmax.",
    "framework.3": "Escribe forward y backward de la pérdida.",
    "framework.4": "Junta las capas y aprende los dígitos.",
    "nielsen.1": "Escribe feedforward, backprop y sgd de Network.",
    "nielsen.2": "Encuentra el error: el programa dice .5 cuatro veces.",
    "gates.1": "Elige los pesos y el sesgo de una unidad para cada una de cuatro puertas.",
    "gates.2": "Construye el o exclusivo con unidades de gates().",
    "gates.3": "Haz un bulto con dos sigmoides.",
    "gates.4": "Encierra un disco con cuatro neuronas.",
    "sequential.1": "Escribe fit y predict del perceptrón.",
    "sequential.2": "Escribe build y __call__ de la capa.",
    "sequential.3": "Escribe lo demás, y aprende XOR.",
    "estimators.1": "McCulloch y Pitts.",
    "estimators.2": "Un perceptrón para los lirios.",
    "estimators.3": "Varias preguntas a la vez.",
    "estimators.4": "Números, con MLPRegressor.",
    "estimators.5": "Lirios, con MLPClassifier.",
}
"""The tasks, by the numbers of the exercises."""

PHRASES = {
    # What the grader says around a check.
    "{} {}: right": "{} {}: bien",
    "{} {}: not yet. {}": "{} {}: todavía no. {}",
    "{} {}: still to be written. {}": "{} {}: está por escribir. {}",
    "{#} of {#} right": "{} de {} bien",
    "It ended with {}: {}": "Terminó con {}: {}",
    "{} is {}; it must be a function, def {}": "{} es {}; ha de ser una función, def {}",
    "It cannot be called as {}: {}": "No se puede llamar como {}: {}",
    "Put into {}:": "Pon en {}:",
    "There is no exercise {}; there are {}.": "No hay ningún ejercicio {}; hay {}.",
    "{} ends Python itself: leave out exit() and quit().": "{} termina Python mismo: quita exit() "
    "y quit().",
    "{} does not run yet.": "{} todavía no funciona.",
    # How numbers are compared.
    "nothing came back; is there a return?": "no ha vuelto nada; ¿hay un return?",
    "{}; look at the sign": "{}; mira el signo",
    "{}; look at a factor of 2": "{}; mira un factor 2",
    "{}; look at a factor of ½": "{}; mira un factor ½",
    "the shape is {}, and should be {}": "la forma es {}, y debería ser {}",
    "the shape is {}": "la forma es {}",
    "{} is not made of numbers": "{} no está hecho de números",
    "{#} of {#} numbers are wrong": "{} de {} números están mal",
    "wrong": "está mal",
    "gradcheck says: {}": "gradcheck dice: {}",
    "{#} are right, {#} are due": "{} están bien, hacen falta {}",
    # What is compared, chapter by chapter.
    "xor of {}": "xor de {}",
    "return a pair: weights, bias": "devuelve un par: pesos, sesgo",
    "w = {}, b = {}, x = {}, target {}": "w = {}, b = {}, x = {}, objetivo {}",
    "the weights after learning OR in order": "los pesos después de aprender OR en orden",
    "the bias after learning OR in order": "el sesgo después de aprender OR en orden",
    "the weights after step {}": "los pesos después del paso {}",
    "the weight after a step": "el peso después de un paso",
    "the bias after a step": "el sesgo después de un paso",
    "the weights after {}": "los pesos después de {}",
    "the bias after {}": "el sesgo después de {}",
    "negated a unit with a sum of exactly 0": "la negación de una unidad con una suma de justo 0",
    "negated a unit": "la negación de una unidad",
    "negated {}": "la negación de {}",
    "{#} of 4 pairs are wrong": "{} de 4 pares están mal",
    "the gradient at what came back": "el gradiente en lo que ha vuelto",
    "the gradient at {}": "el gradiente en {}",
    "the gradient in {}": "el gradiente respecto de {}",
    "the gradient of {}": "el gradiente de {}",
    "the derivatives at {}": "las derivadas en {}",
    "the share of g at {}": "la parte de g en {}",
    "the share of g along x": "la parte de g a lo largo de x",
    "the factors for the rate {}": "los factores para la tasa {}",
    "the slopes at {}": "las pendientes en {}",
    "a sound model was called wrong": "un modelo correcto se ha dado por malo",
    "a model whose activation has a wrong derivative was called right": "un modelo cuya activación "
    "tiene una derivada errónea se ha dado por bueno",
    "the image has the shape {}": "la imagen tiene la forma {}",
    "some numbers are not from {} to {}": "algunos números no están entre {} y {}",
    "the model takes it for {}, and not for {}": "el modelo la toma por {}, y no por {}",
    "the pixels moved by {} on average: a smaller nudge would do": "los píxeles se han movido {} "
    "de media: bastaría un empujón menor",
    "the parameters are {}": "los parámetros son {}",
    "{} numbers are many to be measured; fewer will do": "{} números son muchos para medirlos; "
    "bastan menos",
    "0.95 is reached by 8, 16 and 32 units": "0.95 lo alcanzan 8, 16 y 32 unidades",
    "all of them reach 0.5, in whatever order they come": "todas alcanzan 0.5, vengan en el orden "
    "que vengan",
    "none reaches 0.99": "ninguna alcanza 0.99",
    "it must return a Value of docs.learn.engine: import it": "ha de devolver un Value de "
    "docs.learn.engine: impórtalo",
    "the slope of {} at {}": "la pendiente de {} en {}",
    "the slope in the numerator at {}": "la pendiente respecto del numerador en {}",
    "the slope in the denominator at {}": "la pendiente respecto del denominador en {}",
    "the depth of a leaf": "la profundidad de una hoja",
    "the depth of a chain of 20,000 sums": "la profundidad de una cadena de 20 000 sumas",
    "the depth of {}": "la profundidad de {}",
    "the slopes of {}": "las pendientes de {}",
    "the kinds of units in three different columns of four": "las clases de unidades en tres "
    "columnas distintas de cuatro",
    "the kinds of units among zeros": "las clases de unidades entre ceros",
    "from {} to {}": "de {} a {}",
    "the bound for {} inputs": "la cota para {} entradas",
    "the table of 4 and 5 points": "la tabla de 4 y 5 puntos",
    "the means of the columns": "las medias de las columnas",
    "the deviations of the columns": "las desviaciones de las columnas",
    "the exponential of {}": "la exponencial de {}",
    "one step from 1 towards the root of 2": "un paso desde 1 hacia la raíz de 2",
    "eight steps to ln 3": "ocho pasos hasta ln 3",
    "curvature {} and momentum {}": "curvatura {} y momento {}",
    "the Hessian {} is not that": "la hessiana {} no es eso",
    "from 2 alone": "desde 2 solo",
    "from {}": "desde {}",
    "a larger z should give no smaller number": "una z mayor no debería dar un número menor",
    "the results for z = -30 and 30": "los resultados para z = -30 y 30",
    "the weights: they fit, and smaller ones do too": "los pesos: se ajustan, y otros menores "
    "también",
    "the weights: they fit, and smaller ones do too: {}": "los pesos: se ajustan, y otros menores "
    "también: {}",
    "what is recalled from a spoilt pattern": "lo que se recuerda de un patrón estropeado",
    "what comes of sums of 0": "lo que sale de sumas de 0",
    "a change that runs on and on": "un cambio que sigue y sigue",
    # The workshops.
    "the weight has the shape {}": "el peso tiene la forma {}",
    "the weight": "el peso",
    "the bias": "el sesgo",
    "the softmax of {}": "la softmax de {}",
    "the loss before learning is {}; 2.3 would be guessing": "la pérdida antes de aprender es {}; "
    "2.3 sería adivinar",
    "the loss is {} after 400 epochs; 0.05 is due": "la pérdida es {} después de 400 épocas; hace "
    "falta 0.05",
    "the loss": "la pérdida",
    "the sums of the probabilities": "las sumas de las probabilidades",
    "of the digits that it had not seen, {} are right; 93 are due": "de los dígitos que no había "
    "visto, {} están bien; hacen falta 93",
    "{} of the points of the square are right; 93 are due": "{} de los puntos del cuadrado están "
    "bien; hacen falta 93",
    "output": "salida",
    "{} gradients of {}": "{} gradientes de {}",
    "sgd took the cost from {} to {}": "sgd ha llevado el coste de {} a {}",
    "the outputs have the shape {}": "las salidas tienen la forma {}",
    "it says {}": "dice {}",
    "return a dictionary, {}": "devuelve un diccionario, {}",
    "{} is not there": "falta {}",
    "the bump from {} to {}": "el bulto de {} a {}",
    "the bump at its sides": "el bulto en sus lados",
    "return four things: the weights and biases of the four, and of the one": "devuelve cuatro "
    "cosas: los pesos y los sesgos de las cuatro, y los de la última",
    "the shapes are {}": "las formas son {}",
    "{} of 00, 01, 10, 11": "{} de 00, 01, 10, 11",
    "the variance should be 1 / n_inputs": "la varianza debería ser 1 / n_inputs",
    "the layer's output": "la salida de la capa",
    "predict gives one output for each row": "predict da una salida por fila",
    "the number of parameters": "el número de parámetros",
    "{} losses came back": "han vuelto {} pérdidas",
    "where all inputs are 0 the bias should learn, and does not": "donde todas las entradas son 0 "
    "debería aprender el sesgo, y no lo hace",
    "excitatory {}, inhibitory {}, threshold {}": "excitadoras {}, inhibidoras {}, umbral {}",
    "new flowers": "flores nuevas",
    "new points": "puntos nuevos",
    "{} of the variance is left, 15 are allowed": "queda el {} de la varianza, se permite el 15",
    "{}: {}": "{}: {}",
}
"""Every sentence, and the parts that it is made of; the first that fits is taken.

``{}`` is what is told in the same way, ``{#}`` a number.
"""

HOLES = {"{}": "(.+?)", "{#}": r"([\d.]+%?)"}


def pattern_of(english: str) -> re.Pattern[str]:
    parts = re.split(r"(\{#?\})", english)
    return re.compile("".join(HOLES.get(part, re.escape(part)) for part in parts), re.DOTALL)


PATTERNS = [(pattern_of(english), spanish) for english, spanish in PHRASES.items()]


def in_spanish(text: str) -> str:
    """A sentence of the grader in Spanish, and so what stands in it.

    Names, numbers, errors of Python and verdicts of gradcheck stay as they are.

    Examples
    --------
    >>> from docs.learn.grading.spanish import in_spanish
    >>> in_spanish("the share of g at (3, -4, 12): 3 of 3 numbers are wrong; look at the sign")
    'la parte de g en (3, -4, 12): 3 de 3 números están mal; mira el signo'
    """
    for pattern, spanish in PATTERNS:
        if found := pattern.fullmatch(text):
            return spanish.format(*map(in_spanish, found.groups()))
    return text
