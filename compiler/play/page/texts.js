/* texts.js - the texts of the page, in each language: one table. What the compiler says is
 * English, with the title of its code in the language of the page; frame_texts.js has the texts
 * of the lesson. */

/* By name: the texts in the order of LANGUAGES. */
export const LANGUAGES = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  vi: 'Tiếng Việt',
  zh: '中文'
};

export const table = {
  title: ['playground', 'Spielplatz', 'terrain de jeu', 'campo de juego', 'sân chơi', '演练场'],
  menu: [
    'lesson or example',
    'Lektion oder Beispiel',
    'leçon ou exemple',
    'lección o ejemplo',
    'bài học hoặc ví dụ',
    '教程或示例'
  ],
  lessons: ['The course', 'Der Kurs', 'Le cours', 'El curso', 'Khóa học', '教程'],
  examples: ['Examples', 'Beispiele', 'Exemples', 'Ejemplos', 'Ví dụ', '示例'],
  nets: [
    'Nets to play with',
    'Netze zum Spielen',
    'Réseaux pour jouer',
    'Redes para jugar',
    'Mạng để thử',
    '可玩的网络'
  ],
  own: [
    'your own text',
    'eigener Text',
    'votre propre texte',
    'su propio texto',
    'văn bản của bạn',
    '您自己的文本'
  ],
  open: ['Open', 'Öffnen', 'Ouvrir', 'Abrir', 'Mở', '打开'],
  open_title: [
    'a model from a file; a file can also be dropped on the page',
    'ein Modell aus einer Datei; man kann eine Datei auch auf die Seite ziehen',
    'un modèle d\'un fichier ; on peut aussi déposer un fichier sur la page',
    'un modelo de un archivo; también se puede soltar un archivo en la página',
    'mở mô hình từ tệp; cũng có thể thả tệp vào trang',
    '从文件打开模型；也可以把文件拖到页面上'
  ],
  save: ['Save', 'Speichern', 'Enregistrer', 'Guardar', 'Lưu', '保存'],
  save_title: [
    'the text as a file',
    'den Text als Datei',
    'le texte dans un fichier',
    'el texto en un archivo',
    'lưu văn bản thành tệp',
    '把文本保存为文件'
  ],
  link: ['Link', 'Link', 'Lien', 'Enlace', 'Liên kết', '链接'],
  link_title: [
    'copies a link that contains the text',
    'kopiert einen Link, der den Text enthält',
    'copie un lien qui contient le texte',
    'copia un enlace que contiene el texto',
    'sao chép liên kết chứa văn bản',
    '复制包含文本的链接'
  ],
  copied: [
    'the link is copied',
    'der Link ist kopiert',
    'le lien est copié',
    'el enlace está copiado',
    'đã sao chép liên kết',
    '链接已复制'
  ],
  in_address: [
    'the link is in the address bar',
    'der Link steht in der Adresszeile',
    'le lien est dans la barre d\'adresse',
    'el enlace está en la barra de direcciones',
    'liên kết ở thanh địa chỉ',
    '链接在地址栏中'
  ],
  language: ['language', 'Sprache', 'langue', 'idioma', 'ngôn ngữ', '语言'],
  the_model: ['The model', 'Das Modell', 'Le modèle', 'El modelo', 'Mô hình', '模型'],
  editor: [
    'the text of the model',
    'der Text des Modells',
    'le texte du modèle',
    'el texto del modelo',
    'văn bản của mô hình',
    '模型的文本'
  ],
  editor_title: [
    'Ctrl+Space completes a name, Ctrl+I says what the word at the cursor is, F8 goes to the next message, Tab leaves the text.',
    'Strg+Leertaste ergänzt einen Namen, Strg+I sagt, was das Wort am Cursor ist, F8 geht zur nächsten Meldung, Tab verlässt den Text.',
    "Ctrl+Espace complète un nom, Ctrl+I dit ce qu'est le mot sous le curseur, F8 va au message suivant, Tab quitte le texte.",
    'Ctrl+Espacio completa un nombre, Ctrl+I dice qué es la palabra del cursor, F8 va al mensaje siguiente, Tab sale del texto.',
    'Ctrl+Space hoàn tất một tên, Ctrl+I cho biết từ tại con trỏ là gì, F8 đến thông báo kế tiếp, Tab rời văn bản.',
    'Ctrl+空格补全名字，Ctrl+I 说明光标处的词，F8 转到下一条消息，Tab 离开文本。'
  ],
  numbers: ['Numbers', 'Zahlen', 'Nombres', 'Números', 'Số', '数值'],
  messages: ['messages', 'Meldungen', 'messages', 'mensajes', 'thông báo', '消息'],
  views: ['views', 'Ansichten', 'vues', 'vistas', 'khung nhìn', '视图'],
  tab_lesson: ['Lesson', 'Lektion', 'Leçon', 'Lección', 'Bài học', '讲解'],
  tab_train: ['Train', 'Trainieren', 'Entraîner', 'Entrenar', 'Huấn luyện', '训练'],
  run: ['Run', 'Start', 'Démarrer', 'Iniciar', 'Chạy', '运行'],
  run_title: [
    'trains, until you pause',
    'trainiert, bis Sie anhalten',
    'entraîne jusqu\'à la pause',
    'entrena hasta la pausa',
    'huấn luyện cho đến khi tạm dừng',
    '一直训练，直到暂停'
  ],
  pause: ['Pause', 'Pause', 'Pause', 'Pausa', 'Tạm dừng', '暂停'],
  one_step: ['Step', 'Schritt', 'Un pas', 'Un paso', 'Một bước', '一步'],
  one_step_title: [
    'one step of the update',
    'ein Schritt der Anpassung',
    'un pas de la mise à jour',
    'un paso de la actualización',
    'một bước cập nhật',
    '更新一步'
  ],
  restart: ['Restart', 'Von vorn', 'Recommencer', 'Reiniciar', 'Bắt đầu lại', '重新开始'],
  restart_title: [
    'back to the starting weights',
    'zurück zu den Anfangsgewichten',
    'retour aux poids de départ',
    'vuelve a los pesos iniciales',
    'trở về trọng số ban đầu',
    '回到初始权重'
  ],
  reseed: ['New weights', 'Neue Gewichte', 'Autres poids', 'Otros pesos', 'Trọng số mới', '新权重'],
  reseed_title: [
    'other random starting weights',
    'andere zufällige Anfangsgewichte',
    'd\'autres poids de départ, au hasard',
    'otros pesos iniciales al azar',
    'trọng số ban đầu ngẫu nhiên khác',
    '另一组随机初始权重'
  ],
  data: ['Data', 'Daten', 'Données', 'Datos', 'Dữ liệu', '数据'],
  net: ['Net', 'Netz', 'Réseau', 'Red', 'Mạng', '网络'],
  set: ['set', 'Datensatz', 'jeu de données', 'conjunto de datos', 'tập dữ liệu', '数据集'],
  set_circle: ['circle', 'Kreis', 'cercle', 'círculo', 'vòng tròn', '圆'],
  set_xor: ['xor', 'xor', 'xor', 'xor', 'xor', '异或'],
  set_gauss: ['two clouds', 'zwei Wolken', 'deux nuages', 'dos nubes', 'hai đám mây', '两团点'],
  set_spiral: ['spiral', 'Spirale', 'spirale', 'espiral', 'xoắn ốc', '螺旋'],
  set_plane: [
    'plane (values)',
    'Ebene (Werte)',
    'plan (valeurs)',
    'plano (valores)',
    'mặt phẳng (giá trị)',
    '平面（数值）'
  ],
  set_hills: [
    'hills (values)',
    'Hügel (Werte)',
    'collines (valeurs)',
    'colinas (valores)',
    'đồi (giá trị)',
    '山丘（数值）'
  ],
  set_sine: [
    'sine (a curve)',
    'Sinus (eine Kurve)',
    'sinus (une courbe)',
    'seno (una curva)',
    'hình sin (đường cong)',
    '正弦（曲线）'
  ],
  noise: ['noise', 'Rauschen', 'bruit', 'ruido', 'nhiễu', '噪声'],
  count: ['points', 'Punkte', 'points', 'puntos', 'số điểm', '点数'],
  data_seed: ['seed', 'Startwert', 'graine', 'semilla', 'hạt giống', '随机种子'],
  share: ['to learn from', 'zum Lernen', 'pour apprendre', 'para aprender', 'để học', '训练占比'],
  from_file: [
    '% rows of a file',
    '% Zeilen einer Datei',
    '% lignes d\'un fichier',
    '% filas de un archivo',
    '% dòng của tệp',
    '文件中的 % 行'
  ],
  click_points: [
    'A click adds a point, with Shift one of the other class.',
    'Ein Klick fügt einen Punkt hinzu, mit Umschalt einen der anderen Klasse.',
    'Un clic ajoute un point, avec Maj un point de l\'autre classe.',
    'Un clic añade un punto, con Mayús uno de la otra clase.',
    'Nhấp để thêm một điểm, giữ Shift để thêm điểm của lớp kia.',
    '单击添加一个点，按住 Shift 则添加另一类的点。'
  ],
  click_values: [
    'A click adds a point.',
    'Ein Klick fügt einen Punkt hinzu.',
    'Un clic ajoute un point.',
    'Un clic añade un punto.',
    'Nhấp để thêm một điểm.',
    '单击添加一个点。'
  ],
  key_points: [
    'With the keyboard: arrows move a cross, Enter adds a point, Backspace takes the last one away.',
    'Mit der Tastatur: Pfeile bewegen ein Kreuz, Enter setzt einen Punkt, die Rücktaste nimmt den letzten weg.',
    'Au clavier : les flèches déplacent une croix, Entrée ajoute un point, Retour arrière enlève le dernier.',
    'Con el teclado: las flechas mueven una cruz, Intro añade un punto, Retroceso quita el último.',
    'Bằng bàn phím: phím mũi tên di chuyển dấu thập, Enter thêm một điểm, Backspace xóa điểm cuối.',
    '用键盘：方向键移动十字，回车添加一个点，退格键删除最后一个点。'
  ],
  own_points: [
    '% points of your own',
    '% eigene Punkte',
    '% points ajoutés',
    '% puntos propios',
    '% điểm do bạn thêm',
    '您添加了 % 个点'
  ],
  layers: [
    'hidden layers',
    'verborgene Schichten',
    'couches cachées',
    'capas ocultas',
    'lớp ẩn',
    '隐藏层'
  ],
  fewer_layers: [
    'one layer less',
    'eine Schicht weniger',
    'une couche de moins',
    'una capa menos',
    'bớt một lớp',
    '减少一层'
  ],
  more_layers: [
    'one layer more',
    'eine Schicht mehr',
    'une couche de plus',
    'una capa más',
    'thêm một lớp',
    '增加一层'
  ],
  units: ['units', 'Einheiten', 'unités', 'unidades', 'đơn vị', '单元'],
  fewer_units: [
    'one unit of % less',
    'eine Einheit von % weniger',
    'une unité de % de moins',
    'una unidad de % menos',
    'bớt một đơn vị của %',
    '% 减少一个单元'
  ],
  more_units: [
    'one unit of % more',
    'eine Einheit von % mehr',
    'une unité de % de plus',
    'una unidad de % más',
    'thêm một đơn vị của %',
    '% 增加一个单元'
  ],
  activation: ['activation', 'Aktivierung', 'activation', 'activación', 'hàm kích hoạt', '激活函数'],
  optimizer: ['optimizer', 'Optimierer', 'optimiseur', 'optimizador', 'bộ tối ưu', '优化器'],
  rate: ['rate', 'Lernrate', "taux d'apprentissage", 'tasa de aprendizaje', 'tốc độ học', '学习率'],
  penalty: [
    'penalty',
    'Regularisierung',
    'régularisation',
    'regularización',
    'chính quy hóa',
    '正则化'
  ],
  penalty_rate: [
    'its factor',
    'ihr Faktor',
    'son facteur',
    'su factor',
    'hệ số chính quy hóa',
    '正则化系数'
  ],
  none: ['none', 'keine', 'aucune', 'ninguna', 'không', '无'],
  batch: ['batch', 'Batchgröße', 'taille du lot', 'tamaño del lote', 'kích thước lô', '批大小'],
  features: ['features', 'Merkmale', 'caractéristiques', 'características', 'đặc trưng', '特征'],
  no_controls: [
    'The controls are for texts that minimize a loss with an optimizer: minimize J = ... with sgd(lr = 0.1).',
    'Die Regler sind für Texte, die einen Verlust mit einem Optimierer minimieren: minimize J = ... with sgd(lr = 0.1).',
    'Les réglages sont pour les textes qui minimisent une perte par un optimiseur : minimize J = ... with sgd(lr = 0.1).',
    'Los controles son para textos que minimizan una pérdida con un optimizador: minimize J = ... with sgd(lr = 0.1).',
    'Các nút điều khiển dành cho văn bản tối thiểu hóa hàm mất mát bằng một bộ tối ưu: minimize J = ... with sgd(lr = 0.1).',
    '控件适用于用优化器最小化损失的文本：minimize J = ... with sgd(lr = 0.1)。'
  ],
  not_in_page: [
    'This model does not train in a page: it uses %.',
    'Dieses Modell lässt sich in einer Seite nicht trainieren: es benutzt %.',
    'Ce modèle ne peut pas s\'entraîner dans une page : il utilise %.',
    'Este modelo no se puede entrenar en una página: usa %.',
    'Mô hình này không huấn luyện được trong trang: nó dùng %.',
    '此模型不能在页面中训练：它使用 %。'
  ],
  nothing_to_minimize: [
    'The text minimizes nothing: a line such as "minimize J = mse(z, t) with sgd(lr = 0.1)" trains.',
    'Der Text minimiert nichts: mit einer Zeile wie "minimize J = mse(z, t) with sgd(lr = 0.1)" lässt er sich trainieren.',
    "Le texte ne minimise rien : une ligne comme « minimize J = mse(z, t) with sgd(lr = 0.1) » permet de l'entraîner.",
    'El texto no minimiza nada: con una línea como «minimize J = mse(z, t) with sgd(lr = 0.1)» se puede entrenar.',
    'Văn bản không tối thiểu hóa gì: hãy thêm một dòng như "minimize J = mse(z, t) with sgd(lr = 0.1)" để huấn luyện.',
    '文本没有最小化任何量：例如写一行 "minimize J = mse(z, t) with sgd(lr = 0.1)" 即可训练。'
  ],
  other_columns: [
    'The inputs of this model take % columns, the data has others.',
    'Die Eingaben dieses Modells haben % Spalten, die Daten andere.',
    'Les entrées de ce modèle prennent % colonnes, les données en ont un autre nombre.',
    'Las entradas de este modelo toman % columnas, los datos tienen otras.',
    'Đầu vào của mô hình này có % cột, dữ liệu có số cột khác.',
    '此模型的输入需要 % 列，数据的列数不同。'
  ],
  boundary: [
    'the output of the net over the plane, with the points',
    'die Ausgabe des Netzes über der Ebene, mit den Punkten',
    'la sortie du réseau sur le plan, avec les points',
    'la salida de la red sobre el plano, con los puntos',
    'đầu ra của mạng trên mặt phẳng, cùng các điểm',
    '网络在平面上的输出，以及各点'
  ],
  point_classes: [
    'squares: class 1, circles: class 0; smaller: to test on',
    'Quadrate: Klasse 1, Kreise: Klasse 0; kleiner: zum Testen',
    'carrés : classe 1, cercles : classe 0 ; plus petits : pour tester',
    'cuadrados: clase 1, círculos: clase 0; más pequeños: para probar',
    'hình vuông: lớp 1, hình tròn: lớp 0; nhỏ hơn: để kiểm tra',
    '方块：类 1，圆点：类 0；较小的用于测试'
  ],
  point_kinds: [
    'circles: class 0, triangles: class 1, other shapes: other classes; smaller: to test on',
    'Kreise: Klasse 0, Dreiecke: Klasse 1, andere Formen: andere Klassen; kleiner: zum Testen',
    'cercles : classe 0, triangles : classe 1, autres formes : autres classes ; plus petits : pour tester',
    'círculos: clase 0, triángulos: clase 1, otras formas: otras clases; más pequeños: para probar',
    'hình tròn: lớp 0, tam giác: lớp 1, hình khác: lớp khác; nhỏ hơn: để kiểm tra',
    '圆点：类 0，三角：类 1，其他形状：其他类；较小的用于测试'
  ],
  a_file: ['a file', 'eine Datei', 'un fichier', 'un archivo', 'một tệp', '文件'],
  point_values: [
    'larger points: to learn from, smaller: to test on',
    'größere Punkte: zum Lernen, kleinere: zum Testen',
    'grands points : pour apprendre, petits : pour tester',
    'puntos grandes: para aprender, pequeños: para probar',
    'điểm lớn: để học, điểm nhỏ: để kiểm tra',
    '较大的点用于学习，较小的用于测试'
  ],
  losses: ['Losses', 'Verluste', 'Pertes', 'Pérdidas', 'Hàm mất mát', '损失'],
  training: ['training', 'Training', 'entraînement', 'entrenamiento', 'huấn luyện', '训练'],
  test: ['test', 'Test', 'test', 'prueba', 'kiểm tra', '测试'],
  steps: ['steps', 'Schritte', 'pas', 'pasos', 'số bước', '步数'],
  epochs: ['epochs', 'Epochen', 'époques', 'épocas', 'số epoch', '轮数'],
  per_second: [
    '% steps a second',
    '% Schritte je Sekunde',
    '% pas par seconde',
    '% pasos por segundo',
    '% bước mỗi giây',
    '每秒 % 步'
  ],
  dead: [
    'dead: 0 for all points',
    'tot: 0 für alle Punkte',
    'morte : 0 pour tous les points',
    'muerta: 0 para todos los puntos',
    'chết: bằng 0 tại mọi điểm',
    '失效：对所有点都是 0'
  ],
  rates: [
    'Several rates',
    'Mehrere Lernraten',
    'Plusieurs taux d\'apprentissage',
    'Varias tasas de aprendizaje',
    'Nhiều tốc độ học',
    '多种学习率'
  ],
  compare: ['Compare', 'Vergleichen', 'Comparer', 'Comparar', 'So sánh', '比较'],
  compare_words: [
    '600 steps with a tenth of the rate to ten times as much, from the same start',
    '600 Schritte mit einem Zehntel bis zum Zehnfachen der Lernrate, vom selben Anfang',
    "600 pas avec un dixième du taux d'apprentissage jusqu'à dix fois ce taux, depuis le même départ",
    '600 pasos con una décima parte de la tasa de aprendizaje hasta diez veces esa tasa, desde el mismo inicio',
    '600 bước với từ một phần mười đến mười lần tốc độ học, từ cùng một điểm đầu',
    '从相同的起点，用十分之一到十倍的学习率各走 600 步'
  ],
  surface: [
    'The loss over two params',
    'Der Verlust über zwei Parametern',
    'La perte en fonction de deux paramètres',
    'La pérdida en función de dos parámetros',
    'Hàm mất mát theo hai tham số',
    '两个参数上的损失'
  ],
  surface_words: [
    'The logarithm of the training loss around the present values: blue is high, orange is low. The line is the way of the steps since.',
    'Der Logarithmus des Trainingsverlusts um die jetzigen Werte: Blau ist hoch, Orange ist tief. Die Linie ist der Weg der Schritte seither.',
    "Le logarithme de la perte d'entraînement autour des valeurs actuelles : le bleu est haut, l'orange est bas. La ligne est le chemin des pas depuis.",
    'El logaritmo de la pérdida de entrenamiento alrededor de los valores actuales: el azul es alto, el naranja es bajo. La línea es el camino de los pasos desde entonces.',
    'Lôgarit của hàm mất mát huấn luyện quanh giá trị hiện tại: xanh là cao, cam là thấp. Đường vẽ là đường đi của các bước từ đó.',
    '当前值附近训练损失的对数：蓝色高，橙色低。线是此后各步的路径。'
  ],
  param: ['param', 'Parameter', 'paramètre', 'parámetro', 'tham số', '参数'],
  draw: ['Draw', 'Zeichnen', 'Dessiner', 'Dibujar', 'Vẽ', '绘制'],
  tab_c: ['C', 'C', 'C', 'C', 'C', 'C'],
  tab_words: ['In words', 'In Worten', 'En mots', 'En palabras', 'Bằng lời', '文字说明'],
  tab_numbers: ['Numbers', 'Zahlen', 'Nombres', 'Números', 'Số', '数值'],
  lesson_frame: [
    'the graph, its values and gradients, step by step',
    'der Graph, seine Werte und Gradienten, Schritt für Schritt',
    'le graphe, ses valeurs et ses gradients, pas à pas',
    'el grafo, sus valores y gradientes, paso a paso',
    'đồ thị, giá trị và gradient, từng bước',
    '计算图及其数值和梯度，逐步演示'
  ],
  working: [
    'computing …',
    'rechnet …',
    'calcul en cours …',
    'calculando …',
    'đang tính …',
    '计算中 …'
  ],
  ready: ['up to date', 'aktuell', 'à jour', 'al día', 'đã cập nhật', '已更新'],
  errors: [
    'errors: the last good text is shown',
    'Fehler: der letzte gute Text ist zu sehen',
    'erreurs : le dernier bon texte est affiché',
    'errores: se muestra el último texto correcto',
    'có lỗi: đang hiện văn bản đúng gần nhất',
    '有错误：显示的是上一个正确的文本'
  ],
  late: [
    'this model takes too long for this page',
    'dieses Modell dauert zu lange für diese Seite',
    'ce modèle prend trop de temps pour cette page',
    'este modelo tarda demasiado para esta página',
    'mô hình này mất quá nhiều thời gian cho trang',
    '此模型对本页面来说太慢'
  ],
  replace_by: [
    'replace by %',
    'durch % ersetzen',
    'remplacer par %',
    'sustituir por %',
    'thay bằng %',
    '替换为 %'
  ],
  line: ['line %', 'Zeile %', 'ligne %', 'línea %', 'dòng %', '第 % 行'],
  plain: [
    'to read (-O0)',
    'zum Lesen (-O0)',
    'à lire (-O0)',
    'para leer (-O0)',
    'để đọc (-O0)',
    '便于阅读 (-O0)'
  ],
  fast: [
    'to run (-O2)',
    'zum Rechnen (-O2)',
    'à exécuter (-O2)',
    'para ejecutar (-O2)',
    'để chạy (-O2)',
    '便于运行 (-O2)'
  ],
  both: ['the difference', 'der Unterschied', 'la différence', 'la diferencia', 'khác biệt', '差异'],
  reasons: [
    'What was simplified',
    'Was vereinfacht wurde',
    'Ce qui a été simplifié',
    'Lo que se simplificó',
    'Những gì được rút gọn',
    '化简之处'
  ],
  no_reasons: ['nothing', 'nichts', 'rien', 'nada', 'không có', '无'],
  values: [
    'Values and derivatives',
    'Werte und Ableitungen',
    'Valeurs et dérivées',
    'Valores y derivadas',
    'Giá trị và đạo hàm',
    '数值与导数'
  ],
  check: [
    'Derivatives compared with differences',
    'Ableitungen verglichen mit Differenzen',
    'Dérivées comparées à des différences',
    'Derivadas comparadas con diferencias',
    'Đạo hàm so với sai phân',
    '导数与差分的比较'
  ],
  no_check: [
    'not done here: see the messages',
    'hier nicht gemacht: siehe die Meldungen',
    'pas fait ici : voir les messages',
    'no se hace aquí: vea los mensajes',
    'không làm ở đây: xem thông báo',
    '此处未做：见消息'
  ],
  solution: ['Solution', 'Lösung', 'Solution', 'Solución', 'Lời giải', '答案'],
  close: ['close', 'schließen', 'fermer', 'cerrar', 'đóng', '关闭'],
  value: ['value', 'Wert', 'valeur', 'valor', 'giá trị', '值'],
  gradient: ['gradient', 'Gradient', 'gradient', 'gradiente', 'gradient', '梯度'],
  licences: [
    'Licences of what this page is made of',
    'Lizenzen der Teile dieser Seite',
    'Licences des parties de cette page',
    'Licencias de las partes de esta página',
    'Giấy phép của các thành phần trang này',
    '本页面各组成部分的许可证'
  ],
  no_start: [
    'the compiler could not be started: %',
    'der Compiler konnte nicht gestartet werden: %',
    'le compilateur n\'a pas pu démarrer : %',
    'no se pudo iniciar el compilador: %',
    'không khởi động được trình biên dịch: %',
    '编译器无法启动：%'
  ],
  too_large: [
    'the text or file is too large',
    'der Text oder die Datei ist zu groß',
    'le texte ou le fichier est trop grand',
    'el texto o el archivo es demasiado grande',
    'văn bản hoặc tệp quá lớn',
    '文本或文件太大'
  ],
  about_classes: [
    'Two classes of points in the plane.',
    'Zwei Klassen von Punkten in der Ebene.',
    'Deux classes de points du plan.',
    'Dos clases de puntos del plano.',
    'Hai lớp điểm trên mặt phẳng.',
    '平面上的两类点。'
  ],
  about_plane: [
    'Values of points in the plane.',
    'Werte von Punkten in der Ebene.',
    'Des valeurs de points du plan.',
    'Valores de puntos del plano.',
    'Giá trị của các điểm trên mặt phẳng.',
    '平面上各点的数值。'
  ],
  about_curve: [
    'Values of points on a line: a curve is fitted to them.',
    'Werte von Punkten auf einer Geraden: eine Kurve wird an sie angepasst.',
    'Des valeurs de points d\'une droite : une courbe leur est ajustée.',
    'Valores de puntos de una recta: se les ajusta una curva.',
    'Giá trị của các điểm trên đường thẳng: một đường cong được khớp với chúng.',
    '直线上各点的数值：用一条曲线拟合。'
  ],
  about_table: [
    'The table: its last column is learned from the others.',
    'Die Tabelle: ihre letzte Spalte wird aus den anderen gelernt.',
    'Le tableau : sa dernière colonne est apprise à partir des autres.',
    'La tabla: su última columna se aprende de las demás.',
    'Bảng: cột cuối được học từ các cột khác.',
    '表格：由其余各列学习最后一列。'
  ],
  about_text: [
    'Press Run. The controls change this text, and the text changes them.',
    'Start drücken. Die Regler ändern diesen Text, und der Text ändert sie.',
    'Appuyez sur Démarrer. Les réglages changent ce texte, et le texte les change.',
    'Pulse Iniciar. Los controles cambian este texto, y el texto los cambia.',
    'Nhấn Chạy. Các nút điều khiển thay đổi văn bản này, và văn bản thay đổi chúng.',
    '按“运行”。控件改变此文本，文本也改变控件。'
  ],
  as_is: ['%', '%', '%', '%', '%', '%'],
  by_default: ['default', 'Standard', 'par défaut', 'por defecto', 'mặc định', '默认'],
  rows_left: [
    '% rows left out: a cell is missing, or there are too many',
    '% Zeilen ausgelassen: eine Zelle fehlt, oder es sind zu viele',
    '% lignes omises : une case manque, ou elles sont trop nombreuses',
    '% filas omitidas: falta una celda, o son demasiadas',
    'bỏ % dòng: thiếu ô, hoặc có quá nhiều dòng',
    '略去 % 行：缺少单元格，或行数过多'
  ],
  some_controls: [
    'The text is not one chain of dense layers: only what fits it can be changed here.',
    'Der Text ist nicht eine einzige Kette von dense-Schichten: hier lässt sich nur ändern, was zu ihm passt.',
    "Le texte n'est pas une seule chaîne de couches denses : on ne peut changer ici que ce qui lui convient.",
    'El texto no es una sola cadena de capas densas: aquí solo se cambia lo que le corresponde.',
    'Văn bản không phải là một chuỗi lớp dense duy nhất: ở đây chỉ đổi được những gì phù hợp.',
    '文本不是单一的 dense 层链：这里只能改变适用的部分。'
  ],
  used_elsewhere: [
    '% is used elsewhere in the text',
    '% wird auch anderswo im Text benutzt',
    '% est utilisé ailleurs dans le texte',
    '% se usa en otra parte del texto',
    '% còn được dùng ở chỗ khác trong văn bản',
    '文本别处也用到 %'
  ],
  in_text: [
    'the text says %: change it there',
    'der Text sagt %: dort ändern',
    'le texte dit % : le changer là',
    'el texto dice %: cámbielo allí',
    'văn bản ghi %: hãy sửa ở đó',
    '文本写的是 %：请在那里修改'
  ],
  diverged: [
    'The loss is not finite: the training has stopped. A smaller rate may help; Restart goes back to the starting weights.',
    'Der Verlust ist nicht endlich: das Training wurde angehalten. Eine kleinere Lernrate kann helfen; „Von vorn“ geht zurück zu den Anfangsgewichten.',
    "La perte n'est pas finie : l'entraînement s'est arrêté. Un taux d'apprentissage plus petit peut aider ; « Recommencer » revient aux poids de départ.",
    'La pérdida no es finita: el entrenamiento se ha parado. Una tasa de aprendizaje menor puede ayudar; «Reiniciar» vuelve a los pesos iniciales.',
    'Hàm mất mát không hữu hạn: đã dừng huấn luyện. Tốc độ học nhỏ hơn có thể giúp; “Bắt đầu lại” trở về trọng số ban đầu.',
    '损失不是有限值：训练已停止。可试用更小的学习率；“重新开始”会回到初始权重。'
  ],
  nothing_yet: [
    'Nothing is shown yet: the text has errors.',
    'Noch ist nichts zu sehen: der Text hat Fehler.',
    'Rien n\'est encore affiché : le texte a des erreurs.',
    'Todavía no se muestra nada: el texto tiene errores.',
    'Chưa có gì để hiện: văn bản có lỗi.',
    '尚无内容：文本有错误。'
  ],
  only_errors: [
    'the text has errors',
    'der Text hat Fehler',
    'le texte a des erreurs',
    'el texto tiene errores',
    'văn bản có lỗi',
    '文本有错误'
  ],
  not_computed: [
    'not computed: see the messages',
    'nicht berechnet: siehe die Meldungen',
    'pas calculé : voir les messages',
    'no calculado: vea los mensajes',
    'chưa tính: xem thông báo',
    '未计算：见消息'
  ],
  in_english: [
    'What the compiler itself says is in English.',
    'Was der Compiler selbst sagt, ist englisch.',
    'Ce que dit le compilateur lui-même est en anglais.',
    'Lo que dice el propio compilador está en inglés.',
    'Những gì chính trình biên dịch nói là tiếng Anh.',
    '编译器本身的消息是英文。'
  ],
  no_table: [
    'no table of numbers was found in the file',
    'in der Datei ist keine Tabelle von Zahlen',
    'aucun tableau de nombres dans le fichier',
    'no hay ninguna tabla de números en el archivo',
    'không tìm thấy bảng số nào trong tệp',
    '文件中没有数值表格'
  ],
  no_text: [
    'the file is not a text',
    'die Datei ist kein Text',
    'le fichier n\'est pas un texte',
    'el archivo no es un texto',
    'tệp không phải là văn bản',
    '文件不是文本'
  ],
  bad_link: [
    'the link cannot be read: perhaps a part of it is missing',
    'der Link ist nicht lesbar: vielleicht fehlt ein Teil',
    'le lien est illisible : une partie manque peut-être',
    'el enlace no se puede leer: quizá falta una parte',
    'không đọc được liên kết: có thể thiếu một phần',
    '无法读取链接：可能缺少一部分'
  ],
  show_all: [
    'show all (% kB)',
    'alles zeigen (% kB)',
    'tout afficher (% ko)',
    'mostrar todo (% kB)',
    'hiện tất cả (% kB)',
    '显示全部（% kB）'
  ],
  no_output: [
    'The text has no output: a line such as "output y = z" draws it here.',
    'Der Text hat keine Ausgabe: eine Zeile wie "output y = z" zeichnet sie hier.',
    'Le texte n\'a pas de sortie : une ligne comme « output y = z » la dessine ici.',
    'El texto no tiene salida: una línea como «output y = z» la dibuja aquí.',
    'Văn bản không có đầu ra: một dòng như "output y = z" sẽ vẽ nó ở đây.',
    '文本没有输出：写一行 "output y = z" 就会画在这里。'
  ],
  course_in_english: [
    'The course is in English.',
    'Der Kurs ist englisch.',
    'Le cours est en anglais.',
    'El curso está en inglés.',
    'Khóa học bằng tiếng Anh.',
    '教程为英文。'
  ],
  error: ['error', 'Fehler', 'erreur', 'error', 'lỗi', '错误'],
  warning: ['warning', 'Warnung', 'avertissement', 'advertencia', 'cảnh báo', '警告'],
  note: ['note', 'Hinweis', 'remarque', 'nota', 'ghi chú', '提示'],

  /* the titles of the compiler's messages, by their codes */
  NG0101: [
    'a token that does not fit here',
    'ein Zeichen oder Wort, das hier nicht passt',
    'un mot ou un signe qui ne convient pas ici',
    'una palabra o un signo que no cabe aquí',
    'từ hoặc ký hiệu không hợp ở đây',
    '此处不应出现的记号'
  ],
  NG0102: [
    'a bracket is left open',
    'eine Klammer bleibt offen',
    'une parenthèse reste ouverte',
    'un paréntesis queda abierto',
    'một dấu ngoặc chưa đóng',
    '括号没有闭合'
  ],
  NG0103: [
    'a closing bracket has no partner',
    'eine schließende Klammer ohne öffnende',
    'une parenthèse fermante sans ouvrante',
    'un paréntesis de cierre sin apertura',
    'dấu đóng ngoặc không có dấu mở',
    '多余的右括号'
  ],
  NG0104: [
    'a number or a name that the language does not have',
    'eine Zahl oder ein Name, den die Sprache nicht hat',
    'un nombre ou un nom que le langage n\'a pas',
    'un número o un nombre que el lenguaje no tiene',
    'số hoặc tên mà ngôn ngữ không có',
    '语言中没有的数字或名字写法'
  ],
  NG0105: [
    'a string does not end on its line',
    'eine Zeichenkette endet nicht in ihrer Zeile',
    'une chaîne ne finit pas sur sa ligne',
    'una cadena no termina en su línea',
    'chuỗi không kết thúc trên dòng của nó',
    '字符串没有在本行结束'
  ],
  NG0106: [
    'an operator that the language does not have',
    'ein Operator, den die Sprache nicht hat',
    'un opérateur que le langage n\'a pas',
    'un operador que el lenguaje no tiene',
    'toán tử mà ngôn ngữ không có',
    '语言中没有的运算符'
  ],
  NG0107: [
    'a character that the language does not have',
    'ein Zeichen, das die Sprache nicht hat',
    'un caractère que le langage n\'a pas',
    'un carácter que el lenguaje no tiene',
    'ký tự mà ngôn ngữ không có',
    '语言中没有的字符'
  ],
  NG0108: [
    'nested too deeply',
    'zu tief geschachtelt',
    'imbrication trop profonde',
    'anidado demasiado profundo',
    'lồng quá sâu',
    '嵌套太深'
  ],
  NG0110: [
    'something in the wrong place',
    'etwas an der falschen Stelle',
    'quelque chose au mauvais endroit',
    'algo en el lugar equivocado',
    'đặt sai chỗ',
    '位置不对'
  ],
  NG0111: [
    'a call is needed',
    'ein Aufruf ist nötig',
    'un appel est nécessaire',
    'se necesita una llamada',
    'cần một lời gọi hàm',
    '这里需要函数调用'
  ],
  NG0112: [
    'the number is too large',
    'die Zahl ist zu groß',
    'le nombre est trop grand',
    'el número es demasiado grande',
    'số quá lớn',
    '数太大'
  ],
  NG0113: [
    'an unknown type',
    'ein unbekannter Typ',
    'un type inconnu',
    'un tipo desconocido',
    'kiểu không biết',
    '未知类型'
  ],
  NG0114: [
    'the number is too small (-Wunderflow)',
    'die Zahl ist zu klein',
    'le nombre est trop petit',
    'el número es demasiado pequeño',
    'số quá nhỏ',
    '数太小'
  ],
  NG0201: [
    'an unknown name',
    'ein unbekannter Name',
    'un nom inconnu',
    'un nombre desconocido',
    'tên không biết',
    '未知的名字'
  ],
  NG0202: [
    'an unknown path or member',
    'ein unbekannter Pfad oder Teil',
    'un chemin ou un membre inconnu',
    'una ruta o un miembro desconocido',
    'đường dẫn hoặc thành phần không biết',
    '未知的路径或成员'
  ],
  NG0203: [
    'a name is defined twice',
    'ein Name wird zweimal definiert',
    'un nom est défini deux fois',
    'un nombre se define dos veces',
    'một tên được định nghĩa hai lần',
    '名字重复定义'
  ],
  NG0204: [
    'a variable is assigned to',
    'einer Variablen wird zugewiesen',
    'une variable reçoit une affectation',
    'se asigna a una variable',
    'gán vào một biến',
    '给变量赋值'
  ],
  NG0205: [
    'a library name is defined again (a note)',
    'ein Name der Bibliothek wird neu definiert',
    'un nom de la bibliothèque est redéfini',
    'un nombre de la biblioteca se redefine',
    'định nghĩa lại một tên của thư viện',
    '重新定义了库中的名字'
  ],
  NG0206: [
    'two weights have the same name',
    'zwei Gewichte haben denselben Namen',
    'deux poids ont le même nom',
    'dos pesos tienen el mismo nombre',
    'hai trọng số trùng tên',
    '两个权重同名'
  ],
  NG0207: [
    'step and training have a meaning of their own',
    'step und training haben eine eigene Bedeutung',
    'step et training ont un sens à eux',
    'step y training tienen un significado propio',
    'step và training có nghĩa riêng',
    'step 和 training 有专门含义'
  ],
  NG0208: [
    'names that formula mode takes as inputs (a note)',
    'Namen, die hier Eingaben sind',
    'noms qui sont ici des entrées',
    'nombres que aquí son entradas',
    'các tên ở đây là đầu vào',
    '这些名字在这里是输入'
  ],
  NG0209: [
    'nothing uses this name (-Wunused-name)',
    'nichts benutzt diesen Namen',
    'rien n\'utilise ce nom',
    'nada usa este nombre',
    'không có gì dùng tên này',
    '这个名字没有被使用'
  ],
  NG0211: [
    'an argument that the function does not have',
    'ein Argument, das die Funktion nicht hat',
    'un argument que la fonction n\'a pas',
    'un argumento que la función no tiene',
    'đối số mà hàm không có',
    '函数没有这个参数'
  ],
  NG0212: [
    'an argument is given twice',
    'ein Argument steht zweimal da',
    'un argument est donné deux fois',
    'un argumento se da dos veces',
    'một đối số được cho hai lần',
    '参数给了两次'
  ],
  NG0213: [
    'too many arguments',
    'zu viele Argumente',
    'trop d\'arguments',
    'demasiados argumentos',
    'quá nhiều đối số',
    '参数太多'
  ],
  NG0214: [
    'an argument is missing',
    'ein Argument fehlt',
    'un argument manque',
    'falta un argumento',
    'thiếu một đối số',
    '缺少参数'
  ],
  NG0215: [
    'a function calls itself',
    'eine Funktion ruft sich selbst auf',
    'une fonction s\'appelle elle-même',
    'una función se llama a sí misma',
    'hàm gọi chính nó',
    '函数调用自身'
  ],
  NG0216: [
    'a function returns nothing',
    'eine Funktion gibt nichts zurück',
    'une fonction ne renvoie rien',
    'una función no devuelve nada',
    'hàm không trả về gì',
    '函数没有返回值'
  ],
  NG0217: [
    'the value called is not a function',
    'was aufgerufen wird, ist keine Funktion',
    'ce qui est appelé n\'est pas une fonction',
    'lo que se llama no es una función',
    'cái được gọi không phải là hàm',
    '被调用的不是函数'
  ],
  NG0218: [
    'an input, output or metric inside a function',
    'input, output oder metric in einer Funktion',
    'input, output ou metric dans une fonction',
    'input, output o metric en una función',
    'input, output hoặc metric bên trong hàm',
    '函数内有 input、output 或 metric'
  ],
  NG0219: [
    'the number of names and the number of values differ',
    'die Zahl der Namen und die der Werte sind verschieden',
    'le nombre de noms et celui de valeurs diffèrent',
    'la cantidad de nombres y la de valores difieren',
    'số tên và số giá trị khác nhau',
    '名字与值的个数不同'
  ],
  NG0220: [
    'loops nested too deeply',
    'Schleifen zu tief geschachtelt',
    'boucles trop imbriquées',
    'bucles demasiado anidados',
    'vòng lặp lồng quá sâu',
    '循环嵌套太深'
  ],
  NG0221: [
    'the model is too large',
    'das Modell ist zu groß',
    'le modèle est trop grand',
    'el modelo es demasiado grande',
    'mô hình quá lớn',
    '模型太大'
  ],
  NG0222: [
    'neither a range nor a list',
    'weder ein Bereich noch eine Liste',
    'ni un intervalle ni une liste',
    'ni un intervalo ni una lista',
    'không phải khoảng hay danh sách',
    '既不是范围也不是列表'
  ],
  NG0223: [
    'a condition that is not known at compile time',
    'eine Bedingung, die beim Übersetzen nicht bekannt ist',
    'une condition inconnue à la compilation',
    'una condición desconocida al compilar',
    'điều kiện chưa biết khi biên dịch',
    '编译时未知的条件'
  ],
  NG0224: [
    'return outside a function',
    'return außerhalb einer Funktion',
    'return hors d\'une fonction',
    'return fuera de una función',
    'return ngoài hàm',
    'return 在函数之外'
  ],
  NG0226: [
    'nothing to compute',
    'nichts zu berechnen',
    'rien à calculer',
    'nada que calcular',
    'không có gì để tính',
    '没有要计算的内容'
  ],
  NG0227: [
    'a starting value that depends on what comes later',
    'ein Anfangswert, der von Späterem abhängt',
    'une valeur de départ qui dépend de la suite',
    'un valor inicial que depende de lo que viene después',
    'giá trị đầu phụ thuộc điều đến sau',
    '初始值依赖于后面的内容'
  ],
  NG0228: [
    'a weight of run-time size',
    'ein Gewicht, dessen Größe erst zur Laufzeit bekannt ist',
    'un poids dont la taille n\'est connue qu\'à l\'exécution',
    'un peso cuyo tamaño solo se conoce al ejecutar',
    'trọng số có kích thước chỉ biết khi chạy',
    '权重的大小运行时才知道'
  ],
  NG0229: [
    'a loop with while that cannot be one',
    'eine Schleife mit while, die keine sein kann',
    'une boucle avec while qui ne peut pas en être une',
    'un bucle con while que no puede serlo',
    'vòng lặp while không hợp lệ',
    '不可能的 while 循环'
  ],
  NG0301: [
    'a matrix product whose inner dimensions differ',
    'Matrixprodukt: die inneren Größen sind verschieden',
    'produit de matrices : les tailles intérieures diffèrent',
    'producto de matrices: los tamaños interiores difieren',
    'tích ma trận: kích thước trong khác nhau',
    '矩阵乘积：内侧大小不同'
  ],
  NG0302: [
    'a matrix product with a scalar',
    'ein Matrixprodukt mit einem Skalar',
    'un produit de matrices avec un scalaire',
    'un producto de matrices con un escalar',
    'tích ma trận với một số vô hướng',
    '矩阵乘积中有标量'
  ],
  NG0303: [
    'shapes that do not fit together',
    'Formen, die nicht zusammenpassen',
    'des formes qui ne vont pas ensemble',
    'formas que no encajan',
    'các hình dạng không khớp nhau',
    '形状不匹配'
  ],
  NG0304: [
    'a list that is not a tensor',
    'eine Liste, die kein Tensor ist',
    'une liste qui n\'est pas un tenseur',
    'una lista que no es un tensor',
    'danh sách không phải là tensor',
    '列表不是张量'
  ],
  NG0305: [
    'too many axes',
    'zu viele Achsen',
    "trop d'axes",
    'demasiados ejes',
    'quá nhiều trục',
    '轴太多'
  ],
  NG0306: [
    'an axis out of range',
    'eine Achse außerhalb des Bereichs',
    'un axe hors des limites',
    'un eje fuera de rango',
    'trục nằm ngoài phạm vi',
    '轴超出范围'
  ],
  NG0307: [
    'an axis is named twice',
    'eine Achse wird zweimal genannt',
    'un axe est nommé deux fois',
    'un eje se nombra dos veces',
    'một trục được nêu hai lần',
    '轴重复'
  ],
  NG0308: [
    'a transpose of fewer than two axes',
    'eine Transponierte von weniger als zwei Achsen',
    'une transposée de moins de deux axes',
    'una traspuesta de menos de dos ejes',
    'chuyển vị của ít hơn hai trục',
    '转置的轴少于两个'
  ],
  NG0309: [
    'an index out of range',
    'ein Index außerhalb des Bereichs',
    'un indice hors des limites',
    'un índice fuera de rango',
    'chỉ số nằm ngoài phạm vi',
    '下标超出范围'
  ],
  NG0310: [
    'a slice that cannot be counted',
    'ein Ausschnitt, der sich nicht zählen lässt',
    'une tranche que l\'on ne peut pas compter',
    'un corte que no se puede contar',
    'lát cắt không đếm được',
    '无法计数的切片'
  ],
  NG0311: [
    'an empty slice',
    'ein leerer Ausschnitt',
    'une tranche vide',
    'un corte vacío',
    'lát cắt rỗng',
    '空切片'
  ],
  NG0312: [
    'too many indices',
    'zu viele Indizes',
    'trop d\'indices',
    'demasiados índices',
    'quá nhiều chỉ số',
    '下标太多'
  ],
  NG0314: [
    'another shape than the declared one',
    'eine andere Form als die angegebene',
    'une autre forme que celle déclarée',
    'otra forma que la declarada',
    'hình dạng khác với khai báo',
    '形状与声明不同'
  ],
  NG0315: [
    'the two branches of an if training differ in shape',
    'die beiden Zweige eines if training haben verschiedene Formen',
    'les deux branches d\'un if training ont des formes différentes',
    'las dos ramas de un if training tienen formas distintas',
    'hai nhánh của if training khác hình dạng',
    'if training 的两个分支形状不同'
  ],
  NG0316: [
    'reshape to another number of elements',
    'reshape auf eine andere Zahl von Elementen',
    'reshape vers un autre nombre d\'éléments',
    'reshape a otra cantidad de elementos',
    'reshape sang số phần tử khác',
    'reshape 后元素个数不同'
  ],
  NG0317: [
    'a wrong number of axes',
    'eine falsche Zahl von Achsen',
    'un nombre d\'axes incorrect',
    'una cantidad incorrecta de ejes',
    'sai số trục',
    '轴的个数不对'
  ],
  NG0318: [
    'concat of shapes that differ',
    'concat von verschiedenen Formen',
    'concat de formes différentes',
    'concat de formas distintas',
    'concat các hình dạng khác nhau',
    'concat 的形状不同'
  ],
  NG0319: [
    'prediction and target differ in shape',
    'Vorhersage und Ziel haben verschiedene Formen',
    'la prédiction et la cible ont des formes différentes',
    'la predicción y el objetivo tienen formas distintas',
    'dự đoán và mục tiêu khác hình dạng',
    '预测与目标的形状不同'
  ],
  NG0320: [
    'a size that is too complicated',
    'eine zu komplizierte Größe',
    'une taille trop compliquée',
    'un tamaño demasiado complicado',
    'kích thước quá phức tạp',
    '大小太复杂'
  ],
  NG0321: [
    'a tensor that is too large',
    'ein zu großer Tensor',
    'un tenseur trop grand',
    'un tensor demasiado grande',
    'tensor quá lớn',
    '张量太大'
  ],
  NG0323: [
    'a square matrix is needed',
    'eine quadratische Matrix ist nötig',
    'une matrice carrée est nécessaire',
    'se necesita una matriz cuadrada',
    'cần một ma trận vuông',
    '需要方阵'
  ],
  NG0324: [
    'letters of einsum that do not fit',
    'Buchstaben von einsum, die nicht passen',
    'des lettres d\'einsum qui ne conviennent pas',
    'letras de einsum que no encajan',
    'các chữ của einsum không khớp',
    'einsum 的字母不匹配'
  ],
  NG0401: [
    'a tensor is needed',
    'ein Tensor ist nötig',
    'un tenseur est nécessaire',
    'se necesita un tensor',
    'cần một tensor',
    '需要张量'
  ],
  NG0402: [
    'a number must be a compile-time constant',
    'eine Zahl muss beim Übersetzen feststehen',
    'un nombre doit être connu à la compilation',
    'un número debe conocerse al compilar',
    'số phải biết trước khi biên dịch',
    '数必须在编译时已知'
  ],
  NG0403: [
    'a whole number is needed',
    'eine ganze Zahl ist nötig',
    'un nombre entier est nécessaire',
    'se necesita un número entero',
    'cần một số nguyên',
    '需要整数'
  ],
  NG0404: [
    'the number is too small',
    'die Zahl ist zu klein',
    'le nombre est trop petit',
    'el número es demasiado pequeño',
    'số quá nhỏ',
    '数太小'
  ],
  NG0405: [
    'a list is needed',
    'eine Liste ist nötig',
    'une liste est nécessaire',
    'se necesita una lista',
    'cần một danh sách',
    '需要列表'
  ],
  NG0406: [
    'an int is needed',
    'ein int ist nötig',
    'un int est nécessaire',
    'se necesita un int',
    'cần kiểu int',
    '需要 int'
  ],
  NG0407: [
    'a type that is not possible here',
    'ein Typ, der hier nicht möglich ist',
    'un type impossible ici',
    'un tipo que aquí no es posible',
    'kiểu không dùng được ở đây',
    '此处不可用的类型'
  ],
  NG0408: [
    'a function of the library refuses its arguments',
    'eine Funktion der Bibliothek lehnt ihre Argumente ab',
    'une fonction de la bibliothèque refuse ses arguments',
    'una función de la biblioteca rechaza sus argumentos',
    'hàm thư viện không nhận các đối số này',
    '库函数不接受这些参数'
  ],
  NG0410: [
    'the log of a softmax (-Wlog-softmax)',
    'der Logarithmus eines Softmax',
    'le logarithme d\'un softmax',
    'el logaritmo de un softmax',
    'lôgarit của softmax',
    'softmax 的对数'
  ],
  NG0411: [
    'a softmax or sigmoid given to a loss that takes logits (-Wnot-logits)',
    'Softmax oder Sigmoid für einen Verlust, der Logits nimmt',
    'un softmax ou une sigmoïde pour une perte qui prend des logits',
    'un softmax o una sigmoide para una pérdida que toma logits',
    'softmax hoặc sigmoid đưa vào hàm mất mát nhận logit',
    '损失需要 logits，却给了 softmax 或 sigmoid'
  ],
  NG0412: [
    'a column [n, 1] compared with [n] (-Wbroadcast)',
    'eine Spalte [n, 1] wird mit [n] verglichen',
    'une colonne [n, 1] est comparée à [n]',
    'una columna [n, 1] se compara con [n]',
    'so sánh cột [n, 1] với [n]',
    '列 [n, 1] 与 [n] 相比较'
  ],
  NG0413: [
    'a product with 0 and 1 over something infinite (-Wmask-product)',
    'ein Produkt mit 0 und 1 über Unendlichem',
    'un produit par 0 et 1 de valeurs infinies',
    'un producto por 0 y 1 de algo infinito',
    'tích với 0 và 1 của giá trị vô hạn',
    '无穷值与 0、1 相乘'
  ],
  NG0421: [
    'a loss or metric of one batch (-Wbatch-value)',
    'Verlust oder Metrik von einem einzigen Batch',
    'perte ou métrique d\'un seul lot',
    'pérdida o métrica de un solo lote',
    'hàm mất mát hoặc độ đo của một lô',
    '单个批次的损失或指标'
  ],
  NG0501: [
    'a gradient with respect to something that is not a tensor',
    'ein Gradient nach etwas, das kein Tensor ist',
    'un gradient par rapport à ce qui n\'est pas un tenseur',
    'un gradiente respecto a lo que no es un tensor',
    'gradient theo cái không phải tensor',
    '对非张量求梯度'
  ],
  NG0502: [
    'a gradient with respect to an int or a constant',
    'ein Gradient nach einer ganzen Zahl oder einer Konstanten',
    'un gradient par rapport à un entier ou à une constante',
    'un gradiente respecto a un entero o una constante',
    'gradient theo số nguyên hoặc hằng số',
    '对整数或常数求梯度'
  ],
  NG0503: [
    'minimize over something that is not a param',
    'minimize über etwas, das kein Parameter ist',
    'minimize sur ce qui n\'est pas un paramètre',
    'minimize sobre lo que no es un parámetro',
    'minimize theo cái không phải tham số',
    'minimize 的对象不是参数'
  ],
  NG0504: [
    'the loss is not one number',
    'der Verlust ist nicht eine einzige Zahl',
    'la perte n\'est pas un seul nombre',
    'la pérdida no es un solo número',
    'hàm mất mát không phải một số',
    '损失不是单个数'
  ],
  NG0505: [
    'the loss is int',
    'der Verlust ist eine ganze Zahl',
    'la perte est un entier',
    'la pérdida es un entero',
    'hàm mất mát là số nguyên',
    '损失是整数'
  ],
  NG0506: [
    'the loss does not depend on this (-Wzero-gradient)',
    'der Verlust hängt davon nicht ab',
    'la perte n\'en dépend pas',
    'la pérdida no depende de esto',
    'hàm mất mát không phụ thuộc vào cái này',
    '损失不依赖于它'
  ],
  NG0507: [
    'the loss depends on this only through steps (-Wzero-gradient)',
    'der Verlust hängt davon nur über Stufen ab',
    'la perte n\'en dépend que par paliers',
    'la pérdida depende de esto solo por escalones',
    'hàm mất mát chỉ phụ thuộc theo bậc thang',
    '损失只通过阶跃依赖于它'
  ],
  NG0508: [
    'two updates of one variable',
    'zwei Anpassungen derselben Variablen',
    'deux mises à jour d\'une même variable',
    'dos actualizaciones de la misma variable',
    'hai lần cập nhật một biến',
    '同一变量有两次更新'
  ],
  NG0509: [
    'an update of something that is not a state or param',
    'eine Anpassung von etwas, das weder Zustand noch Parameter ist',
    'mise à jour de ce qui n\'est ni un état ni un paramètre',
    'actualización de lo que no es estado ni parámetro',
    'cập nhật cái không phải trạng thái hay tham số',
    '更新的既不是状态也不是参数'
  ],
  NG0510: [
    'an optimizer\'s result has another shape',
    'das Ergebnis des Optimierers hat eine andere Form',
    'le résultat de l\'optimiseur a une autre forme',
    'el resultado del optimizador tiene otra forma',
    'kết quả của bộ tối ưu có hình dạng khác',
    '优化器结果的形状不同'
  ],
  NG0511: [
    'the model has no params to optimize',
    'das Modell hat keine Parameter zum Optimieren',
    'le modèle n\'a pas de paramètres à optimiser',
    'el modelo no tiene parámetros que optimizar',
    'mô hình không có tham số để tối ưu',
    '模型没有可优化的参数'
  ],
  NG0520: [
    'what a backward part returns does not fit the parameters',
    'was der Rückwärtsteil zurückgibt, passt nicht zu den Parametern',
    'ce que renvoie la partie arrière ne correspond pas aux paramètres',
    'lo que devuelve la parte hacia atrás no corresponde a los parámetros',
    'kết quả phần lan truyền ngược không khớp các tham số',
    '反向部分的返回值与参数不符'
  ],
  NG0521: [
    'a def that cannot have a backward part',
    'eine Funktion, die keinen Rückwärtsteil haben kann',
    'une fonction qui ne peut pas avoir de partie arrière',
    'una función que no puede tener parte hacia atrás',
    'hàm không thể có phần lan truyền ngược',
    '该函数不能有反向部分'
  ],
  NG0601: [
    'a name is changed in the emitted C (-Wrenamed-identifier)',
    'ein Name heißt im erzeugten C anders',
    'un nom est changé dans le C produit',
    'un nombre cambia en el C generado',
    'một tên bị đổi trong mã C',
    '生成的 C 中改了名字'
  ],
  NG0602: [
    'very large C (-Wlarge-output)',
    'sehr viel C',
    'C très volumineux',
    'C muy extenso',
    'mã C rất lớn',
    '生成的 C 很大'
  ]
};

/* What CodeMirror says, by its English texts, in the order of LANGUAGES without English. */
export const editorTexts = {
  'Find': ['Suchen', 'Rechercher', 'Buscar', 'Tìm', '查找'],
  'Replace': ['Ersetzen', 'Remplacer', 'Reemplazar', 'Thay thế', '替换'],
  'next': ['weiter', 'suivant', 'siguiente', 'tiếp', '下一个'],
  'previous': ['zurück', 'précédent', 'anterior', 'trước', '上一个'],
  'all': ['alle', 'tout', 'todo', 'tất cả', '全部'],
  'match case': ['Groß/klein', 'casse', 'mayúsculas', 'phân biệt hoa thường', '区分大小写'],
  'regexp': ['Regexp', 'regexp', 'regexp', 'regexp', '正则表达式'],
  'by word': ['ganzes Wort', 'mot entier', 'palabra', 'cả từ', '全字匹配'],
  'replace': ['ersetzen', 'remplacer', 'reemplazar', 'thay', '替换'],
  'replace all': ['alle ersetzen', 'tout remplacer', 'reemplazar todo', 'thay tất cả', '全部替换'],
  'close': ['schließen', 'fermer', 'cerrar', 'đóng', '关闭'],
  'current match': [
    'dieser Treffer',
    'résultat actuel',
    'coincidencia actual',
    'kết quả hiện tại',
    '当前匹配'
  ],
  'on line': ['in Zeile', 'à la ligne', 'en la línea', 'ở dòng', '在行'],
  'replaced match on line $': [
    'ersetzt in Zeile $',
    'remplacé à la ligne $',
    'reemplazado en la línea $',
    'đã thay ở dòng $',
    '已替换第 $ 行的匹配'
  ],
  'replaced $ matches': [
    '$ Treffer ersetzt',
    '$ résultats remplacés',
    '$ coincidencias reemplazadas',
    'đã thay $ kết quả',
    '已替换 $ 处'
  ],
  'Go to line': ['Zur Zeile', 'Aller à la ligne', 'Ir a la línea', 'Đến dòng', '转到行'],
  'go': ['los', 'aller', 'ir', 'đi', '转到'],
  'Completions': ['Vorschläge', 'Suggestions', 'Sugerencias', 'Gợi ý', '补全'],
  'Diagnostics': ['Meldungen', 'Messages', 'Mensajes', 'Thông báo', '诊断'],
  'No diagnostics': [
    'Keine Meldungen',
    'Aucun message',
    'Ningún mensaje',
    'Không có thông báo',
    '没有诊断'
  ],
  'Selection deleted': [
    'Auswahl gelöscht',
    'Sélection supprimée',
    'Selección eliminada',
    'Đã xóa vùng chọn',
    '已删除所选内容'
  ],
  'Control character': [
    'Steuerzeichen',
    'Caractère de contrôle',
    'Carácter de control',
    'Ký tự điều khiển',
    '控制字符'
  ]
};

let column = 0;

export const language = () => Object.keys(LANGUAGES)[column];

export function setLanguage(code) {
  column = Math.max(0, Object.keys(LANGUAGES).indexOf(code));
}

/* The text of a name; % is what is given. */
export function say(name, given = '') {
  const row = table[name];
  if (!row) throw new Error(`no text ${name}`);
  return (row[column] ?? row[0]).replace('%', given);
}

/* The title of a message's code in the language of the page, if it is there. */
export const titleOf = code => (code in table ? say(code) : '');

/* The texts of the editor: {English: in the language of the page}. */
export const phrases = () =>
  Object.fromEntries(
    Object.entries(editorTexts).map(([text, list]) => [text, list[column - 1] ?? text])
  );
