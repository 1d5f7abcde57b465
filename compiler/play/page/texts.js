/* texts.js - the texts of the page, in each language: one table. What
 * the compiler says is English; frame_texts.js has the texts of the lesson. */

/* By name: the texts in the order of LANGUAGES. */
export const LANGUAGES = {en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español', vi: 'Tiếng Việt', zh: '中文'};

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
  set: ['set', 'Datensatz', 'jeu', 'conjunto', 'tập', '数据集'],
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
  layers: ['hidden layers', 'verborgene Schichten', 'couches cachées', 'capas ocultas', 'lớp ẩn', '隐藏层'],
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
  rate: ['rate', 'Lernrate', 'taux', 'tasa', 'tốc độ học', '学习率'],
  penalty: ['penalty', 'Strafe', 'pénalité', 'penalización', 'phạt', '惩罚项'],
  penalty_rate: ['its factor', 'ihr Faktor', 'son facteur', 'su factor', 'hệ số phạt', '惩罚系数'],
  none: ['none', 'keine', 'aucune', 'ninguna', 'không', '无'],
  batch: ['batch', 'Stapel', 'lot', 'lote', 'lô', '批量'],
  features: ['features', 'Merkmale', 'caractéristiques', 'características', 'đặc trưng', '特征'],
  no_controls: [
    'The controls are for texts that are a chain of dense layers; this one trains too.',
    'Die Regler sind für Texte, die eine Kette von dense-Schichten beschreiben; auch dieser lässt sich trainieren.',
    'Les réglages sont pour les textes qui décrivent une chaîne de couches denses ; celui-ci s\'entraîne aussi.',
    'Los controles son para textos que describen una cadena de capas densas; este también se puede entrenar.',
    'Các nút điều khiển dành cho chuỗi lớp dense; văn bản này vẫn huấn luyện được.',
    '控件用于由 dense 层串成的文本；此文本同样可以训练。'
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
    'Le texte ne minimise rien : une ligne comme « minimize J = mse(z, t) with sgd(lr = 0.1) » permet de l\'entraîner.',
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
  point_values: [
    'larger points: to learn from, smaller: to test on',
    'größere Punkte: zum Lernen, kleinere: zum Testen',
    'grands points : pour apprendre, petits : pour tester',
    'puntos grandes: para aprender, pequeños: para probar',
    'điểm lớn: để học, điểm nhỏ: để kiểm tra',
    '较大的点用于学习，较小的用于测试'
  ],
  losses: ['Losses', 'Verluste', 'Pertes', 'Pérdidas', 'Mất mát', '损失'],
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
  rates: ['Several rates', 'Mehrere Raten', 'Plusieurs taux', 'Varias tasas', 'Nhiều tốc độ học', '多种学习率'],
  compare: ['Compare', 'Vergleichen', 'Comparer', 'Comparar', 'So sánh', '比较'],
  compare_words: [
    '600 steps with a tenth of the rate to ten times as much, from the same start',
    '600 Schritte mit einem Zehntel bis zum Zehnfachen der Rate, vom selben Anfang',
    '600 pas avec un dixième du taux jusqu\'à dix fois le taux, depuis le même départ',
    '600 pasos con una décima parte de la tasa hasta diez veces la tasa, desde el mismo inicio',
    '600 bước với từ một phần mười đến mười lần tốc độ, từ cùng một điểm đầu',
    '从相同的起点，用十分之一到十倍的学习率各走 600 步'
  ],
  surface: [
    'The loss over two params',
    'Der Verlust über zwei Parametern',
    'La perte en fonction de deux paramètres',
    'La pérdida sobre dos parámetros',
    'Mất mát theo hai tham số',
    '两个参数上的损失'
  ],
  surface_words: [
    'The logarithm of the training loss around the present values: blue is high, orange is low. The line is the way of the steps since.',
    'Der Logarithmus des Trainingsverlusts um die jetzigen Werte: Blau ist hoch, Orange ist tief. Die Linie ist der Weg der Schritte seither.',
    'Le logarithme de la perte d\'entraînement autour des valeurs présentes : bleu est haut, orange est bas. La ligne est le chemin des pas depuis.',
    'El logaritmo de la pérdida de entrenamiento alrededor de los valores actuales: azul es alto, naranja es bajo. La línea es el camino de los pasos desde entonces.',
    'Lôgarit của mất mát huấn luyện quanh giá trị hiện tại: xanh là cao, cam là thấp. Đường vẽ là đường đi của các bước từ đó.',
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
  working: ['computing …', 'rechnet …', 'calcul en cours …', 'calculando …', 'đang tính …', '计算中 …'],
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
    'the file is too large',
    'die Datei ist zu groß',
    'le fichier est trop grand',
    'el archivo es demasiado grande',
    'tệp quá lớn',
    '文件太大'
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
