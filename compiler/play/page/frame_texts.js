/* frame_texts.js - the texts of a lesson page (compiler/explain/page) in the languages of the
 * playground: by the English text, in the order of LANGUAGES without English. %1, %2 are what is
 * given. A text that is missing here stays English. */
import {LANGUAGES} from './texts.js';

const rows = {
  /* the bar at the top */
  'steps': ['Schritte', 'étapes', 'pasos', 'các bước', '步骤'],
  'to the start (Home)': [
    'zum Anfang (Pos1)',
    'au début (Début)',
    'al principio (Inicio)',
    'về đầu (Home)',
    '回到开头 (Home)'
  ],
  'to the start': ['zum Anfang', 'au début', 'al principio', 'về đầu', '回到开头'],
  'a step back (left arrow)': [
    'ein Schritt zurück (Pfeil links)',
    'une étape en arrière (flèche gauche)',
    'un paso atrás (flecha izquierda)',
    'lùi một bước (mũi tên trái)',
    '后退一步（左箭头）'
  ],
  'Back': ['Zurück', 'Retour', 'Atrás', 'Lùi', '后退'],
  'a step on (right arrow)': [
    'ein Schritt weiter (Pfeil rechts)',
    'une étape en avant (flèche droite)',
    'un paso adelante (flecha derecha)',
    'tiến một bước (mũi tên phải)',
    '前进一步（右箭头）'
  ],
  'Step': ['Schritt', 'Étape', 'Paso', 'Bước', '下一步'],
  'to the end (End)': [
    'zum Ende (Ende)',
    'à la fin (Fin)',
    'al final (Fin)',
    'đến cuối (End)',
    '跳到末尾 (End)'
  ],
  'to the end': ['zum Ende', 'à la fin', 'al final', 'đến cuối', '跳到末尾'],
  'detail': ['Genauigkeit', 'niveau de détail', 'nivel de detalle', 'mức chi tiết', '详细程度'],
  'every operation (1)': [
    'jede Operation (1)',
    'chaque opération (1)',
    'cada operación (1)',
    'từng phép toán (1)',
    '每个运算 (1)'
  ],
  'every op': [
    'jede Operation',
    'chaque opération',
    'cada operación',
    'từng phép toán',
    '每个运算'
  ],
  'a box for each layer or named value (2)': [
    'ein Kasten je Schicht oder benanntem Wert (2)',
    'une case par couche ou valeur nommée (2)',
    'una caja por capa o valor con nombre (2)',
    'một ô cho mỗi lớp hoặc giá trị có tên (2)',
    '每层或每个命名值一个方框 (2)'
  ],
  'every layer': ['jede Schicht', 'chaque couche', 'cada capa', 'từng lớp', '每一层'],
  'a box for the whole net (3)': [
    'ein Kasten für das ganze Netz (3)',
    'une case pour tout le réseau (3)',
    'una caja para toda la red (3)',
    'một ô cho cả mạng (3)',
    '整个网络一个方框 (3)'
  ],
  'the whole net': ['das ganze Netz', 'tout le réseau', 'toda la red', 'cả mạng', '整个网络'],
  'the reversed graph: local slopes on the edges (r)': [
    'der umgekehrte Graph: lokale Steigungen an den Kanten (r)',
    'le graphe inversé : pentes locales sur les arêtes (r)',
    'el grafo invertido: pendientes locales en las aristas (r)',
    'đồ thị đảo ngược: độ dốc cục bộ trên các cạnh (r)',
    '反向图：边上是局部斜率 (r)'
  ],
  'reversed': ['umgekehrt', 'inversé', 'invertido', 'đảo ngược', '反向'],
  'size of the graph': [
    'Größe des Graphen',
    'taille du graphe',
    'tamaño del grafo',
    'cỡ đồ thị',
    '图的大小'
  ],
  'smaller (-)': ['kleiner (-)', 'plus petit (-)', 'más pequeño (-)', 'nhỏ hơn (-)', '缩小 (-)'],
  'smaller': ['kleiner', 'plus petit', 'más pequeño', 'nhỏ hơn', '缩小'],
  'fit (0)': ['einpassen (0)', 'ajuster (0)', 'ajustar (0)', 'vừa khung (0)', '适应窗口 (0)'],
  'fit': ['einpassen', 'ajuster', 'ajustar', 'vừa khung', '适应'],
  'larger (+)': ['größer (+)', 'plus grand (+)', 'más grande (+)', 'lớn hơn (+)', '放大 (+)'],
  'larger': ['größer', 'plus grand', 'más grande', 'lớn hơn', '放大'],
  'sliders': ['Schieber', 'curseurs', 'controles deslizantes', 'thanh trượt', '滑块'],
  'passes of loops': [
    'Durchläufe der Schleifen',
    'itérations des boucles',
    'iteraciones de los bucles',
    'các lượt lặp',
    '循环的各次执行'
  ],
  'pass of %1': [
    'Durchlauf von %1',
    'itération de %1',
    'iteración de %1',
    'lượt của %1',
    '%1 的第几次执行'
  ],
  'no pass': [
    'kein Durchlauf',
    'aucune itération',
    'ninguna iteración',
    'không có lượt nào',
    '没有执行'
  ],
  '%1, the number': [
    '%1, die Zahl',
    '%1, le nombre',
    '%1, el número',
    '%1, giá trị số',
    '%1，数值'
  ],

  /* the texts and the graph */
  'The model': ['Das Modell', 'Le modèle', 'El modelo', 'Mô hình', '模型'],
  "the model's text; up and down arrows move through it": [
    'der Text des Modells; die Pfeile auf und ab gehen durch ihn',
    'le texte du modèle ; les flèches haut et bas le parcourent',
    'el texto del modelo; las flechas arriba y abajo lo recorren',
    'văn bản mô hình; mũi tên lên xuống để di chuyển',
    '模型文本；用上下箭头移动'
  ],
  'the graph, from left to right': [
    'der Graph, von links nach rechts',
    'le graphe, de gauche à droite',
    'el grafo, de izquierda a derecha',
    'đồ thị, từ trái sang phải',
    '从左到右的计算图'
  ],
  'the computation graph': [
    'der Rechengraph',
    'le graphe de calcul',
    'el grafo de cálculo',
    'đồ thị tính toán',
    '计算图'
  ],
  'The C, as': ['Das C, wie', 'Le C tel que', 'El C tal como', 'Mã C do', 'C 代码，由'],
  'writes it': ['es schreibt', "l'écrit", 'lo escribe', 'viết ra', '生成'],
  'the C; up and down arrows move through it': [
    'das C; die Pfeile auf und ab gehen durch es',
    'le C ; les flèches haut et bas le parcourent',
    'el C; las flechas arriba y abajo lo recorren',
    'mã C; mũi tên lên xuống để di chuyển',
    'C 代码；用上下箭头移动'
  ],
  'given': ['gegeben', 'donné', 'dado', 'cho trước', '给定'],
  'trained': ['trainiert', 'entraîné', 'entrenado', 'được huấn luyện', '训练'],
  'computed': ['berechnet', 'calculé', 'calculado', 'tính được', '计算'],
  'the loss': ['der Verlust', 'la perte', 'la pérdida', 'hàm mất mát', '损失'],
  'folded: click to open': [
    'gefaltet: Klick öffnet',
    'replié : cliquer pour ouvrir',
    'plegado: un clic lo abre',
    'đã gộp: nhấp để mở',
    '已折叠：单击展开'
  ],
  'value': ['Wert', 'valeur', 'valor', 'giá trị', '值'],
  'values': ['Werte', 'valeurs', 'valores', 'giá trị', '个值'],
  'grad: gradient': [
    'grad: Gradient',
    'grad : gradient',
    'grad: gradiente',
    'grad: gradient',
    'grad：梯度'
  ],
  'gradient': ['Gradient', 'gradient', 'gradiente', 'gradient', '梯度'],
  'invented': ['erfunden', 'inventé', 'inventado', 'tự đặt', '随机取值'],
  'the net': ['das Netz', 'le réseau', 'la red', 'mạng', '网络'],
  '%1, folded': ['%1, gefaltet', '%1, replié', '%1, plegado', '%1, đã gộp', '%1，已折叠'],
  'op': ['Operation', 'opération', 'operación', 'phép toán', '个运算'],
  'ops': ['Operationen', 'opérations', 'operaciones', 'phép toán', '个运算'],
  'operation': ['Operation', 'opération', 'operación', 'phép toán', '个运算'],
  'operations': ['Operationen', 'opérations', 'operaciones', 'phép toán', '个运算'],
  'param': ['Parameter', 'paramètre', 'parámetro', 'tham số', '个参数'],
  'params': ['Parameter', 'paramètres', 'parámetros', 'tham số', '个参数'],
  'step': ['Schritt', 'étape', 'paso', 'bước', '步'],
  'pass': ['Durchlauf', 'itération', 'iteración', 'lượt lặp', '次'],
  'passes': ['Durchläufe', 'itérations', 'iteraciones', 'lượt lặp', '次'],
  'point': ['Punkt', 'point', 'punto', 'điểm', '个点'],
  'points': ['Punkte', 'points', 'puntos', 'điểm', '个点'],

  /* what a step says */
  'start': ['Start', 'début', 'inicio', 'bắt đầu', '开始'],
  'forward': ['vorwärts', 'avant', 'adelante', 'xuôi', '前向'],
  'backward': ['rückwärts', 'arrière', 'atrás', 'ngược', '反向'],
  'update': ['Anpassung', 'mise à jour', 'actualización', 'cập nhật', '更新'],
  'Press Step, or the right arrow key. First forward: each value from the ones before it. Then backward: from the loss, upstream times local slope.':
    [
      'Drücken Sie Schritt oder die Pfeiltaste nach rechts. Zuerst vorwärts: jeder Wert aus denen vor ihm. Dann rückwärts: vom Verlust aus, der Gradient von oben mal die lokale Steigung.',
      "Appuyez sur Étape ou sur la flèche droite. D'abord en avant : chaque valeur à partir des précédentes. Puis en arrière : depuis la perte, le gradient amont fois la pente locale.",
      'Pulse Paso o la flecha derecha. Primero hacia adelante: cada valor a partir de los anteriores. Después hacia atrás: desde la pérdida, el gradiente que llega por la pendiente local.',
      'Nhấn Bước hoặc phím mũi tên phải. Trước hết là lượt truyền xuôi: mỗi giá trị được tính từ các giá trị trước nó. Sau đó là lượt truyền ngược: từ hàm mất mát, gradient phía trên nhân độ dốc cục bộ.',
      '按“下一步”或右箭头键。先前向：每个值由它前面的值算出。然后反向：从损失开始，上游梯度乘以局部斜率。'
    ],
  'Invented numbers: %1.': [
    'Erfundene Zahlen: %1.',
    'Nombres inventés : %1.',
    'Números inventados: %1.',
    'Số tự đặt: %1.',
    '随机取的数：%1。'
  ],
  'Give your own below the text.': [
    'Geben Sie Ihre eigenen unter dem Text an.',
    'Donnez les vôtres sous le texte.',
    'Indique los suyos debajo del texto.',
    'Hãy nhập số của bạn bên dưới văn bản.',
    '可以在文本下方填写您自己的数。'
  ],
  '%1 is computed from %2': [
    '%1 wird aus %2 berechnet',
    '%1 est calculé à partir de %2',
    '%1 se calcula a partir de %2',
    '%1 được tính từ %2',
    '%1 由 %2 算出'
  ],
  'constants': ['Konstanten', 'constantes', 'constantes', 'hằng số', '常数'],
  'backward, it will be: %1': [
    'rückwärts wird daraus: %1',
    'en arrière, ce sera : %1',
    'hacia atrás será: %1',
    'ở lượt truyền ngược sẽ là: %1',
    '反向时：%1'
  ],
  '%1 is %2.': ['%1 ist %2.', '%1 est %2.', '%1 es %2.', '%1 là %2.', '%1 是 %2。'],
  'The values of its body are those of one pass: the slider chooses which.': [
    'Die Werte ihres Rumpfes sind die eines Durchlaufs: der Schieber wählt, welchen.',
    "Les valeurs de son corps sont celles d'une seule itération : le curseur choisit laquelle.",
    'Los valores de su cuerpo son los de una iteración: el control deslizante elige cuál.',
    'Các giá trị trong thân vòng lặp là của một lượt: thanh trượt chọn lượt nào.',
    '循环体中的值是某一次执行的值：用滑块选择哪一次。'
  ],
  '%1: %2 folded into one box. Its result is %3. A click on the box opens it.': [
    '%1: %2, in einen Kasten gefaltet. Das Ergebnis ist %3. Ein Klick auf den Kasten öffnet ihn.',
    "%1 : %2, repliées en une case. Le résultat est %3. Un clic sur la case l'ouvre.",
    '%1: %2, en una sola caja. Su resultado es %3. Un clic en la caja la abre.',
    '%1: %2 gộp vào một ô. Kết quả là %3. Nhấp vào ô để mở.',
    '%1：%2折叠成一个方框。其结果是 %3。单击方框可展开。'
  ],
  '%1 gets %2; together %1 = %3': [
    '%1 bekommt %2; zusammen %1 = %3',
    '%1 reçoit %2 ; au total %1 = %3',
    '%1 recibe %2; en total %1 = %3',
    '%1 nhận %2; tổng cộng %1 = %3',
    '%1 加上 %2；合计 %1 = %3'
  ],
  'and %1 more, in the table of gradients': [
    'und %1 weitere, in der Tabelle der Gradienten',
    'et %1 de plus, dans le tableau des gradients',
    'y %1 más, en la tabla de gradientes',
    'và %1 gradient nữa trong bảng',
    '另有 %1 个，见梯度表'
  ],
  'and %1 more': ['und %1 weitere', 'et %1 de plus', 'y %1 más', 'và %1 nữa', '另有 %1 个'],
  'Through %1, folded: %2 of the chain rule. It takes %3 and hands on the gradients of what it was computed from.':
    [
      'Durch %1, gefaltet: %2 der Kettenregel. Es nimmt %3 und gibt die Gradienten dessen weiter, woraus es berechnet wurde.',
      'À travers %1, replié : %2 de la règle de la chaîne. Il prend %3 et transmet les gradients de ce dont il est calculé.',
      'A través de %1, plegado: %2 de la regla de la cadena. Toma %3 y pasa los gradientes de aquello a partir de lo que se calculó.',
      'Qua %1, đã gộp: %2 của quy tắc dây chuyền. Nó nhận %3 và chuyển gradient cho những giá trị mà nó được tính từ đó.',
      '经过 %1（已折叠）：链式法则的 %2。它接收 %3，并把梯度传给它的来源。'
    ],
  'After all passes of %1, back: %2 is %3. Upstream is %4.': [
    'Nach allen Durchläufen von %1 zurück: %2 ist %3. Von oben kommt %4.',
    'Après toutes les itérations de %1, en arrière : %2 est %3. Le gradient amont est %4.',
    'Después de todas las iteraciones de %1, hacia atrás: %2 es %3. Llega %4.',
    'Sau mọi lượt của %1, đi ngược: %2 là %3. Gradient phía trên là %4.',
    '%1 的所有执行之后，反向：%2 是 %3。上游梯度是 %4。'
  ],
  'Through %1': ['Durch %1', 'À travers %1', 'A través de %1', 'Qua %1', '经过 %1'],
  'Upstream is %1': [
    'Von oben kommt %1',
    'Le gradient amont est %1',
    'Llega %1',
    'Gradient phía trên là %1',
    '上游梯度是 %1'
  ],
  'the local slope is %1': [
    'die lokale Steigung ist %1',
    'la pente locale est %1',
    'la pendiente local es %1',
    'độ dốc cục bộ là %1',
    '局部斜率是 %1'
  ],
  'use %1 of %2: added': [
    '%1. Verwendung von %2: wird addiert',
    'utilisation %1 de %2 : ajoutée',
    'uso %1 de %2: se suma',
    'lần dùng thứ %1 của %2: cộng vào',
    '%2 的第 %1 次使用：相加'
  ],
  'next %1': ['nächstes %1', 'prochain %1', 'próximo %1', '%1 kế tiếp', '下一个 %1'],
  '%1 becomes %2': [
    '%1 wird zu %2',
    '%1 devient %2',
    '%1 pasa a ser %2',
    '%1 trở thành %2',
    '%1 变为 %2'
  ],
  'All at once: %1': [
    'Alle zugleich: %1',
    'Tous à la fois : %1',
    'Todos a la vez: %1',
    'Tất cả cùng lúc: %1',
    '同时：%1'
  ],
  'and %1 that the optimizer keeps': [
    'und %1, die der Optimierer behält',
    "et %1 que l'optimiseur garde",
    'y %1 que guarda el optimizador',
    'và %1 mà bộ tối ưu giữ lại',
    '以及优化器保存的 %1'
  ],

  /* what the rules of calculus do */
  'add: distributes': [
    'Addition: verteilt',
    'addition : distribue',
    'suma: reparte',
    'cộng: phân phối',
    '加法：分发'
  ],
  'multiply: swaps the inputs': [
    'Multiplikation: vertauscht die Eingaben',
    'multiplication : échange les entrées',
    'multiplicación: intercambia las entradas',
    'nhân: hoán đổi các đầu vào',
    '乘法：交换输入'
  ],
  'subtract: distributes, and changes the sign for the second': [
    'Subtraktion: verteilt, und dreht beim zweiten das Vorzeichen um',
    'soustraction : distribue, et change le signe du second',
    'resta: reparte, y cambia el signo del segundo',
    'trừ: phân phối và đổi dấu số thứ hai',
    '减法：分发，第二个变号'
  ],
  'negate: changes the sign': [
    'Negation: dreht das Vorzeichen um',
    'opposé : change le signe',
    'opuesto: cambia el signo',
    'đổi dấu: đổi dấu gradient',
    '取负：变号'
  ],
  'quotient rule': [
    'Quotientenregel',
    'règle du quotient',
    'regla del cociente',
    'quy tắc thương',
    '商法则'
  ],
  'power rule': [
    'Potenzregel',
    'règle de la puissance',
    'regla de la potencia',
    'quy tắc lũy thừa',
    '幂法则'
  ],
  'root: divides by twice itself': [
    'Wurzel: teilt durch das Doppelte ihrer selbst',
    "racine : divise par le double d'elle-même",
    'raíz: divide por el doble de sí misma',
    'căn: chia cho hai lần chính nó',
    '开方：除以自身的两倍'
  ],
  'exp: its own slope': [
    'exp: die eigene Steigung',
    'exp : sa propre pente',
    'exp: su propia pendiente',
    'exp: độ dốc bằng chính nó',
    'exp：斜率就是自身'
  ],
  'log: divides by its input': [
    'log: teilt durch die Eingabe',
    'log : divise par son entrée',
    'log: divide por su entrada',
    'log: chia cho đầu vào',
    'log：除以输入'
  ],
  'sigmoid: y (1 - y)': [
    'Sigmoid: y (1 - y)',
    'sigmoïde : y (1 - y)',
    'sigmoide: y (1 - y)',
    'sigmoid: y (1 - y)',
    'sigmoid：y (1 - y)'
  ],
  'tanh: 1 less its square': [
    'tanh: 1 weniger ihr Quadrat',
    'tanh : 1 moins son carré',
    'tanh: 1 menos su cuadrado',
    'tanh: 1 trừ bình phương của nó',
    'tanh：1 减去自身的平方'
  ],
  'softplus: sigmoid': [
    'softplus: Sigmoid',
    'softplus : sigmoïde',
    'softplus: sigmoide',
    'softplus: sigmoid',
    'softplus：sigmoid'
  ],
  'sum: distributes': [
    'Summe: verteilt',
    'somme : distribue',
    'suma: reparte',
    'tổng: phân phối',
    '求和：分发'
  ],
  'copy: adds': [
    'Kopie: addiert',
    'copie : additionne',
    'copia: suma',
    'sao chép: cộng lại',
    '复制：相加'
  ],
  'matrix product: the other operand, transposed': [
    'Matrixprodukt: der andere Operand, transponiert',
    "produit de matrices : l'autre opérande, transposé",
    'producto de matrices: el otro operando, transpuesto',
    'nhân ma trận: toán hạng kia, chuyển vị',
    '矩阵乘积：另一个操作数的转置'
  ],
  'reshape: reshapes back': [
    'Umformen: formt zurück',
    'changement de forme : reprend la forme',
    'cambio de forma: la restituye',
    'đổi hình dạng: đổi trở lại',
    '变形：变回原形'
  ],
  'transpose: transposes back': [
    'Transponieren: transponiert zurück',
    'transposition : transpose en retour',
    'transposición: transpone de vuelta',
    'chuyển vị: chuyển vị trở lại',
    '转置：转置回来'
  ],
  'slice: puts back in place': [
    'Ausschnitt: setzt wieder ein',
    'tranche : remet en place',
    'corte: lo devuelve a su sitio',
    'cắt lát: đặt lại vào chỗ cũ',
    '切片：放回原位'
  ],
  'concatenate: cuts apart': [
    'Aneinanderfügen: schneidet auseinander',
    'concaténation : sépare',
    'concatenación: separa',
    'nối: tách ra',
    '拼接：拆开'
  ],
  'max: routes to the larger, half each where equal': [
    'max: leitet zum größeren, bei gleichen je zur Hälfte',
    'max : dirige vers le plus grand, moitié-moitié si égaux',
    'max: dirige al mayor, mitad a cada uno si son iguales',
    'max: chuyển đến số lớn hơn, mỗi bên một nửa nếu bằng nhau',
    'max：传给较大者，相等时各一半'
  ],
  'max: routes to the largest': [
    'max: leitet zum größten',
    'max : dirige vers le plus grand',
    'max: dirige al mayor',
    'max: chuyển đến số lớn nhất',
    'max：传给最大者'
  ],
  'choice: routes to the one chosen': [
    'Auswahl: leitet zum gewählten',
    'choix : dirige vers le choisi',
    'elección: dirige al elegido',
    'lựa chọn: chuyển đến cái được chọn',
    '选择：传给被选中的'
  ],
  'comparison: flat, passes nothing back': [
    'Vergleich: flach, gibt nichts zurück',
    'comparaison : plate, ne transmet rien',
    'comparación: plana, no devuelve nada',
    'so sánh: phẳng, không truyền gì về',
    '比较：平坦，不回传'
  ],

  /* cards */
  'Training, a step at a time': [
    'Training, Schritt für Schritt',
    'Entraînement, pas à pas',
    'Entrenamiento, paso a paso',
    'Huấn luyện từng bước',
    '逐步训练'
  ],
  "one step of the model's own update (t)": [
    'ein Schritt der Anpassung, die das Modell vorsieht (t)',
    'un pas de la mise à jour du modèle (t)',
    'un paso de la actualización del modelo (t)',
    'một bước cập nhật của mô hình (t)',
    '模型自身更新的一步 (t)'
  ],
  '1 step': ['1 Schritt', '1 pas', '1 paso', '1 bước', '1 步'],
  '10 steps': ['10 Schritte', '10 pas', '10 pasos', '10 bước', '10 步'],
  'Run': ['Start', 'Démarrer', 'Iniciar', 'Chạy', '运行'],
  'Pause': ['Pause', 'Pause', 'Pausa', 'Tạm dừng', '暂停'],
  'Reset': ['Zurücksetzen', 'Réinitialiser', 'Restablecer', 'Đặt lại', '重置'],
  'the loss after each step': [
    'der Verlust nach jedem Schritt',
    'la perte après chaque pas',
    'la pérdida después de cada paso',
    'hàm mất mát sau mỗi bước',
    '每一步之后的损失'
  ],
  'The regions of its classes': [
    'Die Gebiete der Klassen',
    'Les régions des classes',
    'Las regiones de las clases',
    'Vùng của các lớp',
    '各类的区域'
  ],
  'the regions of the classes, and the points': [
    'die Gebiete der Klassen und die Punkte',
    'les régions des classes et les points',
    'las regiones de las clases y los puntos',
    'vùng của các lớp và các điểm',
    '各类的区域和各点'
  ],
  'from %1 below left to %2': [
    'von %1 links unten bis %2',
    'de %1 en bas à gauche à %2',
    'de %1 abajo a la izquierda a %2',
    'từ %1 ở góc dưới bên trái đến %2',
    '从左下角 %1 到 %2'
  ],
  'The neurons': ['Die Neuronen', 'Les neurones', 'Las neuronas', 'Các nơ-ron', '神经元'],
  'the neurons and their weights': [
    'die Neuronen und ihre Gewichte',
    'les neurones et leurs poids',
    'las neuronas y sus pesos',
    'các nơ-ron và trọng số của chúng',
    '神经元及其权重'
  ],
  'A line is a weight: thick if it is large, dashed if it is negative. A circle has a value of the first example.':
    [
      'Eine Linie ist ein Gewicht: dick, wenn es groß ist, gestrichelt, wenn es negativ ist. Ein Kreis hat einen Wert des ersten Beispiels.',
      "Une ligne est un poids : épaisse s'il est grand, en tirets s'il est négatif. Un cercle porte une valeur du premier exemple.",
      'Una línea es un peso: gruesa si es grande, discontinua si es negativo. Un círculo tiene un valor del primer ejemplo.',
      'Mỗi đường là một trọng số: đậm nếu lớn, nét đứt nếu âm. Mỗi vòng tròn có một giá trị của ví dụ đầu tiên.',
      '一条线是一个权重：大则粗，负则为虚线。圆圈中是第一个样本的值。'
    ],
  'Gradients, as the sweep fills them in': [
    'Gradienten, wie der Rückweg sie einträgt',
    'Les gradients, au fil du retour',
    'Los gradientes, según se van calculando',
    'Các gradient, được điền dần theo lượt truyền ngược',
    '反向过程中逐步填入的梯度'
  ],
  '%1 of %2 known': [
    '%1 von %2 bekannt',
    '%1 connus sur %2',
    '%1 de %2 conocidos',
    'đã biết %1 trên %2',
    '已知 %1 / %2'
  ],
  'Functions and their slopes': [
    'Funktionen und ihre Steigungen',
    'Les fonctions et leurs pentes',
    'Las funciones y sus pendientes',
    'Các hàm và độ dốc',
    '函数及其斜率'
  ],
  'function': ['Funktion', 'fonction', 'función', 'hàm', '函数'],
  '%1 and its slope': [
    '%1 und die Steigung',
    '%1 et sa pente',
    '%1 y su pendiente',
    '%1 và độ dốc của nó',
    '%1 及其斜率'
  ],
  'its slope: %1': [
    'die Steigung: %1',
    'sa pente : %1',
    'su pendiente: %1',
    'độ dốc: %1',
    '斜率：%1'
  ],
  'The slope is 1 for what is positive and 0 for all else: a unit that is never positive learns nothing.':
    [
      'Die Steigung ist 1 für Positives und sonst 0: eine Einheit, die nie positiv ist, lernt nichts.',
      "La pente est 1 pour ce qui est positif et 0 pour le reste : une unité qui n'est jamais positive n'apprend rien.",
      'La pendiente es 1 para lo positivo y 0 para lo demás: una unidad que nunca es positiva no aprende nada.',
      'Độ dốc là 1 với số dương và 0 với các số khác: đơn vị không bao giờ dương thì không học được gì.',
      '正数处斜率为 1，其余为 0：从不为正的单元什么也学不到。'
    ],
  'The slope at a = %1 is %2.': [
    'Die Steigung bei a = %1 ist %2.',
    'La pente en a = %1 est %2.',
    'La pendiente en a = %1 es %2.',
    'Độ dốc tại a = %1 là %2.',
    'a = %1 处的斜率是 %2。'
  ],
  'The slope is at most %1, and at a = %2 it is %3: far out the function saturates, and a gradient that passes through it all but vanishes.':
    [
      'Die Steigung ist höchstens %1, und bei a = %2 ist sie %3: weit außen ist die Funktion gesättigt, und ein Gradient, der hindurchgeht, verschwindet fast.',
      'La pente est au plus %1, et en a = %2 elle est %3 : loin du centre la fonction sature, et un gradient qui la traverse disparaît presque.',
      'La pendiente es como mucho %1, y en a = %2 es %3: lejos del centro la función se satura, y un gradiente que la atraviesa casi desaparece.',
      'Độ dốc tối đa là %1, và tại a = %2 là %3: ở xa, hàm bão hòa và gradient đi qua nó gần như biến mất.',
      '斜率最大为 %1，在 a = %2 处为 %3：远处函数饱和，经过它的梯度几乎消失。'
    ],
  'Dots: the values that this model gives to it.': [
    'Punkte: die Werte, die dieses Modell ihr gibt.',
    'Points : les valeurs que ce modèle lui donne.',
    'Puntos: los valores que este modelo le da.',
    'Các chấm: giá trị mà mô hình này đưa vào.',
    '圆点：此模型给它的值。'
  ],
  'Slope: rise over run': [
    'Steigung: Höhe durch Strecke',
    'Pente : variation verticale sur horizontale',
    'Pendiente: subida entre avance',
    'Độ dốc: tăng dọc chia cho tăng ngang',
    '斜率：升高与前进之比'
  ],
  'rise over run': [
    'Höhe durch Strecke',
    'variation verticale sur horizontale',
    'subida entre avance',
    'tăng dọc chia cho tăng ngang',
    '升高与前进之比'
  ],
  'slope of': ['Steigung von', 'pente de', 'pendiente de', 'độ dốc của', '斜率对象'],
  'run': ['Strecke', 'pas', 'avance', 'bước ngang', '前进'],
  '%1 by %2': ['%1 nach %2', '%1 par rapport à %2', '%1 respecto a %2', '%1 theo %2', '%1 对 %2'],
  'run %1, rise %2: slope %3; the derivative is %4': [
    'Strecke %1, Höhe %2: Steigung %3; die Ableitung ist %4',
    'horizontale %1, verticale %2 : pente %3 ; la dérivée est %4',
    'avance %1, subida %2: pendiente %3; la derivada es %4',
    'bước ngang %1, tăng %2: độ dốc %3; đạo hàm là %4',
    '前进 %1，升高 %2：斜率 %3；导数是 %4'
  ],
  'the number that is moved': [
    'die Zahl, die bewegt wird',
    "le nombre que l'on déplace",
    'el número que se mueve',
    'số được thay đổi',
    '被移动的数'
  ],
  'the step h': ['der Schritt h', 'le pas h', 'el paso h', 'bước h', '步长 h'],
  'relative error': [
    'relativer Fehler',
    'erreur relative',
    'error relativo',
    'sai số tương đối',
    '相对误差'
  ],
  'the error of a finite difference against its step': [
    'der Fehler einer Differenz gegen ihren Schritt',
    "l'erreur d'une différence finie selon son pas",
    'el error de una diferencia finita según su paso',
    'sai số của sai phân theo bước',
    '差分的误差与步长'
  ],
  'A large step errs by the curve it cuts off, a tiny one by the digits that a subtraction loses. The derivative has neither error.':
    [
      'Ein großer Schritt irrt um die Krümmung, die er abschneidet, ein winziger um die Stellen, die eine Subtraktion verliert. Die Ableitung hat keinen dieser Fehler.',
      "Un grand pas se trompe de la courbure qu'il coupe, un pas minuscule des chiffres qu'une soustraction perd. La dérivée n'a aucune de ces erreurs.",
      'Un paso grande yerra por la curvatura que recorta, uno diminuto por las cifras que pierde una resta. La derivada no tiene ninguno de estos errores.',
      'Bước lớn sai do bỏ qua độ cong, bước quá nhỏ sai do mất chữ số khi trừ. Đạo hàm không có cả hai sai số đó.',
      '步长大，误差来自被截去的弯曲；步长极小，误差来自相减丢失的位数。导数没有这两种误差。'
    ],
  'Paths: why backward, and not path by path': [
    'Wege: warum rückwärts, und nicht Weg für Weg',
    'Les chemins : pourquoi en arrière et non chemin par chemin',
    'Caminos: por qué hacia atrás y no camino por camino',
    'Các đường đi: vì sao đi ngược mà không theo từng đường',
    '路径：为什么反向，而不是逐条路径'
  ],
  'From %1 back to what is given there is one path.': [
    'Von %1 zurück zum Gegebenen führt ein Weg.',
    'De %1 à ce qui est donné, il y a un chemin.',
    'De %1 hasta lo dado hay un camino.',
    'Từ %1 ngược về các giá trị cho trước có một đường.',
    '从 %1 回到给定的值有一条路径。'
  ],
  'From %1 back to what is given there are %2 paths.': [
    'Von %1 zurück zum Gegebenen führen %2 Wege.',
    'De %1 à ce qui est donné, il y a %2 chemins.',
    'De %1 hasta lo dado hay %2 caminos.',
    'Từ %1 ngược về các giá trị cho trước có %2 đường.',
    '从 %1 回到给定的值有 %2 条路径。'
  ],
  'The naive chain rule multiplies the slopes along each; backpropagation stores what arrives at a value and passes it on once.':
    [
      'Die naive Kettenregel multipliziert die Steigungen auf jedem Weg; Backpropagation speichert, was bei einem Wert ankommt, und gibt es einmal weiter.',
      'La règle de la chaîne naïve multiplie les pentes le long de chacun ; la rétropropagation garde ce qui arrive à une valeur et le transmet une seule fois.',
      'La regla de la cadena ingenua multiplica las pendientes a lo largo de cada uno; la retropropagación guarda lo que llega a un valor y lo pasa una sola vez.',
      'Quy tắc dây chuyền thô nhân các độ dốc trên từng đường; lan truyền ngược lưu những gì đến một giá trị và chuyển đi một lần.',
      '朴素的链式法则沿每条路径把斜率相乘；反向传播把到达一个值的量存下来，只传递一次。'
    ],
  'naive: slopes on all paths': [
    'naiv: Steigungen auf allen Wegen',
    'naïf : pentes sur tous les chemins',
    'ingenuo: pendientes en todos los caminos',
    'thô: độ dốc trên mọi đường',
    '朴素：所有路径上的斜率'
  ],
  'stored: an edge, a slope': [
    'gespeichert: je Kante eine Steigung',
    'avec mémoire : une pente par arête',
    'guardado: una pendiente por arista',
    'có lưu: mỗi cạnh một độ dốc',
    '存储：每条边一个斜率'
  ],
  'about %1': ['etwa %1', 'environ %1', 'unos %1', 'khoảng %1', '约 %1'],
  'n + 1 passes forward, or one backward': [
    'n + 1 Durchgänge vorwärts, oder einer rückwärts',
    'n + 1 passes avant, ou une seule passe arrière',
    'n + 1 pasadas hacia adelante, o una hacia atrás',
    'n + 1 lượt truyền xuôi, hay một lượt truyền ngược',
    'n + 1 次前向，或一次反向'
  ],
  '%1 depends on %2 that it is differentiated by. Differences move them one by one: %3 + 1 passes forward. The backward pass gives all slopes at once.':
    [
      '%1 hängt von %2 ab, nach denen abgeleitet wird. Differenzen bewegen sie eine nach der anderen: %3 + 1 Durchgänge vorwärts. Der Rückweg gibt alle Steigungen auf einmal.',
      '%1 dépend de %2 par rapport auxquels on dérive. Les différences les déplacent un à un : %3 + 1 passes avant. La passe arrière donne toutes les pentes à la fois.',
      '%1 depende de %2 respecto a los que se deriva. Las diferencias los mueven uno a uno: %3 + 1 pasadas hacia adelante. La pasada hacia atrás da todas las pendientes a la vez.',
      '%1 phụ thuộc vào %2 được lấy đạo hàm. Sai phân thay đổi từng số một: %3 + 1 lượt truyền xuôi. Lượt truyền ngược cho mọi độ dốc cùng lúc.',
      '%1 依赖于%2，要对它们求导。差分逐个移动它们：%3 + 1 次前向。反向一次给出所有斜率。'
    ],
  'number': ['Zahl', 'nombre', 'número', 'số', '个数'],
  'numbers': ['Zahlen', 'nombres', 'números', 'số', '个数'],
  '%1 operations': [
    '%1 Operationen',
    '%1 opérations',
    '%1 operaciones',
    '%1 phép toán',
    '%1 次运算'
  ],
  'one pass forward': [
    'ein Durchgang vorwärts',
    'une passe avant',
    'una pasada hacia adelante',
    'một lượt truyền xuôi',
    '一次前向'
  ],
  'differences: n + 1 passes': [
    'Differenzen: n + 1 Durchgänge',
    'différences : n + 1 passes',
    'diferencias: n + 1 pasadas',
    'sai phân: n + 1 lượt',
    '差分：n + 1 次'
  ],
  'one forward and one backward': [
    'einer vorwärts und einer rückwärts',
    'une avant et une arrière',
    'una hacia adelante y una hacia atrás',
    'một lượt truyền xuôi và một lượt truyền ngược',
    '一次前向加一次反向'
  ],
  'The backward pass costs %1 times the forward one, however many numbers there are.': [
    'Der Rückweg kostet das %1fache des Hinwegs, wie viele Zahlen es auch sind.',
    'La passe arrière coûte %1 fois la passe avant, quel que soit le nombre de paramètres.',
    'La pasada hacia atrás cuesta %1 veces la de adelante, haya los números que haya.',
    'Lượt truyền ngược tốn gấp %1 lần lượt truyền xuôi, dù có bao nhiêu số.',
    '无论有多少个数，反向的代价都是前向的 %1 倍。'
  ],
  'The test by a nudge': [
    'Die Probe durch Anstoßen',
    "L'épreuve par un petit déplacement",
    'La prueba con un pequeño empujón',
    'Kiểm tra bằng cách nhích nhẹ',
    '微调检验'
  ],
  'a number moved': [
    'eine bewegte Zahl',
    'un nombre déplacé',
    'un número movido',
    'số được nhích',
    '被移动的数值'
  ],
  'the loss moves': [
    'der Verlust bewegt sich',
    'la perte bouge',
    'la pérdida se mueve',
    'hàm mất mát thay đổi',
    '损失的变化'
  ],
  'slope': ['Steigung', 'pente', 'pendiente', 'độ dốc', '斜率'],
  'derivative': ['Ableitung', 'dérivée', 'derivada', 'đạo hàm', '导数'],
  'close': ['schließen', 'fermer', 'cerrar', 'đóng', '关闭'],
  'heat map of %1': [
    'Heatmap von %1',
    'carte de chaleur de %1',
    'mapa de calor de %1',
    'bản đồ nhiệt của %1',
    '%1 的热图'
  ],
  'mean %1, from %2 to %3': [
    'Mittel %1, von %2 bis %3',
    'moyenne %1, de %2 à %3',
    'media %1, de %2 a %3',
    'trung bình %1, từ %2 đến %3',
    '平均 %1，从 %2 到 %3'
  ],
  'too large for its elements to be here': [
    'zu groß, um alle Elemente hier zu zeigen',
    'trop grand pour que ses éléments soient ici',
    'demasiado grande para mostrar aquí sus elementos',
    'quá lớn để hiện các phần tử ở đây',
    '太大，无法在此显示各元素'
  ],
  'nothing finite to draw': [
    'nichts Endliches zu zeichnen',
    'rien de fini à dessiner',
    'nada finito que dibujar',
    'không có gì hữu hạn để vẽ',
    '没有有限的值可画'
  ],

  /* keys */
  'Keys:': ['Tasten:', 'Touches :', 'Teclas:', 'Phím:', '按键：'],
  'step,': ['Schritt,', 'étape,', 'paso,', 'bước,', '步进，'],
  'detail,': ['Genauigkeit,', 'détail,', 'detalle,', 'mức chi tiết,', '详细程度，'],
  'reversed,': ['umgekehrt,', 'inversé,', 'invertido,', 'đảo ngược,', '反向，'],
  'size,': ['Größe,', 'taille,', 'tamaño,', 'cỡ,', '大小，'],
  'train,': ['trainieren,', 'entraîner,', 'entrenar,', 'huấn luyện,', '训练，'],
  'from value to value,': [
    'von Wert zu Wert,',
    'de valeur en valeur,',
    'de valor en valor,',
    'từ giá trị này sang giá trị khác,',
    '在各值之间移动，'
  ],
  'opens one,': ['öffnet einen,', 'en ouvre une,', 'abre uno,', 'mở giá trị,', '打开一个值，'],
  'through the texts.': [
    'durch die Texte.',
    'dans les textes.',
    'por los textos.',
    'di chuyển trong văn bản.',
    '在文本中移动。'
  ]
};

/* The words of a language, by the English ones; none for English. */
export function frameWords(language) {
  const column = Object.keys(LANGUAGES).indexOf(language) - 1;
  if (column < 0) return {};
  return Object.fromEntries(Object.entries(rows).map(([text, list]) => [text, list[column]]));
}

export {rows};
